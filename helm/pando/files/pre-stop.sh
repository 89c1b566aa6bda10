# Before this server is told to stop: if it leads, it hands over, so that nobody waits for an
# election. A stop is never a change of the membership. Whatever fails here, the stop goes on.
id=${POD_NAME##*-}
role=$(pando --timeout 5s -o raw status | awk -F '\t' -v id="$id" '$1 == id { print $2 }')
if [ "$role" = LEADER ]; then pando --timeout 10s leader transfer; fi
exit 0
