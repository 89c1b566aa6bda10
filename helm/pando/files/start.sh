# Starts the server of this pod. Its id is the number in the pod's name, for ever.
#
# It forms the ensemble with the others of the initial size at the very first start, and joins it
# otherwise: when it was added later, or when its volume is new while the ensemble serves already
# (the founder that had this id is gone then, and has to be removed before this one is let in).
# pandod reads either only as long as it is not a member.
id=${POD_NAME##*-}
if [ "$id" -le "$INITIAL_REPLICAS" ] &&
  ! pando --endpoints "$CLIENT_SERVICE" --timeout 2s health >/dev/null 2>&1; then
  exec pandod --id "$id" --initial-cluster "$INITIAL_CLUSTER"
fi
exec pandod --id "$id" --join "$JOIN_SERVICE"
