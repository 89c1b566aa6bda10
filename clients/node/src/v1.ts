/** The messages and services of protos/pando/v1. */
export * from "./gen/pando/v1/cluster.js";
export * from "./gen/pando/v1/common.js";
export * from "./gen/pando/v1/election.js";
export * from "./gen/pando/v1/lock.js";
export * from "./gen/pando/v1/session.js";
export * from "./gen/pando/v1/tree.js";
