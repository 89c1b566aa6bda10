# Makes the membership fit to $REPLICAS servers. $1 says when it runs:
#   before   the StatefulSet changes: servers that go are taken out of the ensemble first, so that
#            those that stay never wait for the votes of the dead
#   after    it has changed: servers that have come are made voters
# In: REPLICAS, POD_PREFIX and POD_DOMAIN (server N is $POD_PREFIX$N.$POD_DOMAIN), PANDO_ENDPOINTS.

say() { echo "resize: $*"; }

# Whether any server above $REPLICAS has a pod. Where none has, an upgrade does not need the
# ensemble, and may well be what mends it.
some_leave() {
  id=$((REPLICAS + 1))
  while [ "$id" -le 9 ]; do
    if getent ahosts "$POD_PREFIX$id.$POD_DOMAIN" >/dev/null; then return 0; fi
    id=$((id + 1))
  done
  return 1
}

# Columns of `pando -o raw status`: id, role, term, applied, lag, disk, version, reachable, answers.
remove_above() {
  status=$(pando -o raw status)
  leaving=$(echo "$status" | awk -F '\t' -v n="$REPLICAS" '$1 > n { print $9, $1 }' |
    sort -k1,1 -k2,2nr | cut -d ' ' -f 2)
  if [ -z "$leaving" ]; then return; fi
  echo "$status"
  staying=$(echo "$status" | awk -F '\t' -v n="$REPLICAS" '
    $1 <= n && ($2 == "LEADER" || $2 == "FOLLOWER") && $9 == "yes" { ++voters }
    END { print voters + 0 }')
  if [ "$staying" -le $((REPLICAS / 2)) ]; then
    say "of the $REPLICAS servers that would stay, only $staying vote and answer, and a majority is" \
      "$((REPLICAS / 2 + 1)): mend them first. Nothing was changed."
    exit 1
  fi
  # The silent ones first: each that goes lowers the majority that the others need.
  for id in $leaving; do
    say "removing server $id"
    pando member rm "$id" >/dev/null
  done
}

promote_all() {
  id=1
  while [ "$id" -le "$REPLICAS" ]; do
    role=$(pando -o raw member ls | awk -F '\t' -v id="$id" '$1 == id { print $2 }')
    case $role in
      VOTER) id=$((id + 1)) ;;
      LEARNER)
        say "server $id: has joined, becomes a voter when it has caught up"
        pando member promote "$id" >/dev/null || sleep 2
        ;;
      *) sleep 2 ;; # It has not joined yet.
    esac
  done
}

case $1 in
  before) if some_leave; then remove_above; fi ;;
  after)
    # The pods may just be starting. The job's deadline bounds the wait.
    until pando status >/dev/null 2>&1; do sleep 2; done
    remove_above # who had no pod before
    promote_all
    ;;
esac
say "$REPLICAS servers, $1 the change: done"
