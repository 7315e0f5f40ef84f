/** @file Warnings: sentences that the person must be able to read, folded where there are many. */

/** The list. */
export function Warnings({ list }: { readonly list: readonly string[] }) {
  if (list.length === 0) return null;
  if (list.length <= 2)
    return (
      <div class="warnings">
        {list.map(each => (
          <p key={each}>{each}</p>
        ))}
      </div>
    );
  return (
    <details class="warnings">
      <summary>{list.length} warnings</summary>
      {list.map(each => (
        <p key={each}>{each}</p>
      ))}
    </details>
  );
}
