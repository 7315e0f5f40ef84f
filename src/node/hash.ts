/** @file Node's native hashes and random bytes: for files, where speed counts. What must run anywhere takes system/sha256.ts. */
export { createHash, type Hash, randomBytes } from 'node:crypto';
