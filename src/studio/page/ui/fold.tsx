/** @file A part of the side that folds away. What is folded is not built: a table of values costs nothing until it is opened. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

/** A heading with what belongs to it. */
export function Fold({
  title,
  open = false,
  children,
}: {
  readonly title: string;
  readonly open?: boolean;
  readonly children: ComponentChildren;
}) {
  const [shown, setShown] = useState(open);
  return (
    <details class="fold" open={shown} onToggle={event => setShown(event.currentTarget.open)}>
      <summary>{title}</summary>
      {shown && children}
    </details>
  );
}
