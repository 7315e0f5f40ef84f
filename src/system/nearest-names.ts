/** @file Which known names are near to one that is mistyped. */

/** Edit distance of two names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length];
}

/** Names that a person may have meant, nearest first. */
export function nearestNames(name: string, names: readonly string[], count = 3): string[] {
  const close = names.map(one => [one, one.includes(name) || name.includes(one) ? 1 : distance(one, name)] as const);
  return close
    .filter(([one, d]) => d <= Math.max(2, one.length / 3))
    .sort((a, b) => a[1] - b[1])
    .slice(0, count)
    .map(([one]) => one);
}

/** `did you mean x or y?`, or undefined where no known name is near. */
export function didYouMean(name: string, names: readonly string[]): string | undefined {
  const near = nearestNames(name, names);
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : undefined;
}
