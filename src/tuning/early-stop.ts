/** @file When a run that gets no better ends. */

/** @param stale evaluations in a row that were no better @param patience how many are borne; 0: any number */
export const isStale = (stale: number, patience: number): boolean => patience > 0 && stale >= patience;
