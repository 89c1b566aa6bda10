# Saves a backup under the time of day, verifies it, and deletes all but the newest $KEEP.
file=/backup/pando-$(date -u +%Y%m%dT%H%M%SZ).snapshot
pando snapshot save "$file"
pando snapshot inspect "$file"
ls /backup/pando-*.snapshot | sort -r | tail -n "+$((KEEP + 1))" | while read -r old; do
  rm "$old"
  echo "deleted $old"
done
