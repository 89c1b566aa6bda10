/**
 * Client of Pando: a session that outlives its servers. Begin with {@link pando.client.Session}.
 * Requests and responses are the messages of {@code pando.v1}.
 */
package pando.client;
