# One write, one read of it through another connection, and the whole ensemble in its places.
node=/pando-helm-test-$(date +%s)
pando create "$node" written >/dev/null
read_back=$(pando get --linearizable "$node")
pando rm "$node"
[ "$read_back" = written ]
voters=$(pando -o raw member ls | awk -F '\t' '$2 == "VOTER" { ++n } END { print n + 0 }')
echo "wrote, read and removed $node; $voters of $REPLICAS servers vote"
[ "$voters" = "$REPLICAS" ]
