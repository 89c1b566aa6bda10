package pando.client;

/**
 * What happens to a session, in this order: {@link #SUSPENDED} and {@link #RECONNECTED} in turn.
 */
public enum SessionEvent {
  /** It is open. Once, and first. */
  CONNECTED,
  /** Its server is gone; calls wait. Whoever holds a lock should pause. */
  SUSPENDED,
  /** It lives on, on another server or the same. */
  RECONNECTED,
  /** It is over, with its ephemeral nodes. Last. */
  LOST
}
