/** @file Bootstrap over clusters: several seeds of one pair, several captions of one scene. Clusters are drawn whole. */
import { type BootstrapOptions, bootstrap, type Estimate } from './bootstrap.ts';

/** What `clusterBootstrap` takes besides what every bootstrap does. */
export interface ClusterBootstrapOptions extends BootstrapOptions {
  /** What counts alike in the mean: every value (default), or every cluster, whatever its size. */
  readonly weigh?: 'values' | 'clusters';
}

/**
 * Interval of the mean of values that come in clusters: each resample draws as many clusters as there are, with replacement, with all their
 * values (Davison and Hinkley, "Bootstrap methods and their application", 1997, section 3.8, strategy 1; BCa leaves out one cluster at a
 * time). NaN values are left out, and clusters with nothing else. Fewer than two clusters give NaN bounds.
 * @param clusters the cluster of each value. @throws RangeError when the lengths differ
 */
export function clusterBootstrap(
  values: ArrayLike<number>,
  clusters: ArrayLike<string | number>,
  { weigh = 'values', ...options }: ClusterBootstrapOptions,
): Estimate {
  if (values.length !== clusters.length) throw new RangeError(`${values.length} values but ${clusters.length} cluster labels.`);
  const totals = new Map<string | number, [total: number, count: number]>();
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    const [total, count] = totals.get(clusters[i]) ?? [0, 0];
    totals.set(clusters[i], [total + values[i], count + 1]);
  }
  const items = [...totals.values()].map(([total, count]): [number, number] => (weigh === 'values' ? [total, count] : [total / count, 1]));
  return bootstrap(
    items,
    drawn => {
      let total = 0;
      let count = 0;
      for (const item of drawn) {
        total += item[0];
        count += item[1];
      }
      return total / count;
    },
    options,
  );
}

/**
 * Interval of the mean of a - b, measured on the same items with the same seeds; a NaN on either side leaves the item out.
 * @throws RangeError when the lengths differ
 */
export function pairedClusterBootstrap(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  clusters: ArrayLike<string | number>,
  options: ClusterBootstrapOptions,
): Estimate {
  if (a.length !== b.length) throw new RangeError(`A paired comparison needs samples of one length, got ${a.length} and ${b.length}.`);
  return clusterBootstrap(
    Array.from(a, (value, i) => value - b[i]),
    clusters,
    options,
  );
}
