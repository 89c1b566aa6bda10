/* How jemalloc behaves in pandod: it reads this symbol before main.
 *
 * What a burst of writes leaves behind goes back to the system within half a second (by default ten),
 * from a thread of its own, so that no request pays for it. MALLOC_CONF in the environment wins. */
const char* malloc_conf = "background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0";
