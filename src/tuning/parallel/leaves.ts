/**
 * @file In which order the gradients of an update's micro-batches are added up: along one binary tree over all of them, whoever computed
 * them. A sum of floats depends on its order, so this is what gives any number of ranks the bits of one.
 */

/** Micro-batches `from` … `to` − 1 of an update, added up. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where a node of the tree is cut. */
const middle = ({ from, to }: Span): number => from + Math.ceil((to - from) / 2);

/** Whether the tree over `count` micro-batches has a node that is cut into these two. */
function areHalves(count: number, left: Span, right: Span): boolean {
  let node: Span = { from: 0, to: count };
  while (node.to - node.from > 1) {
    const at = middle(node);
    if (node.from === left.from && node.to === right.to) return at === left.to && at === right.from;
    if (right.to <= at) node = { from: node.from, to: at };
    else if (left.from >= at) node = { from: at, to: node.to };
    else return false;
  }
  return false;
}

/** The micro-batches of a rank: a run of them, as even as it goes. */
export const leavesOf = (count: number, rank: number, size: number): Span => ({
  from: Math.floor((rank * count) / size),
  to: Math.floor(((rank + 1) * count) / size),
});

/** Sums of values of neighbouring micro-batches as far as the tree joins them; as few as it allows. */
export class TreeSum<T> {
  private readonly stack: { readonly span: Span; readonly value: T }[] = [];

  /** @param count micro-batches of an update @param add adds the second to the first, which it gives back */
  constructor(
    private readonly count: number,
    private readonly add: (a: T, b: T) => T,
  ) {}

  /** Takes the value of the next micro-batch, or of a span that another `TreeSum` made. */
  take(span: Span, value: T): void {
    let top = { span, value };
    for (let before = this.stack.at(-1); before && areHalves(this.count, before.span, top.span); before = this.stack.at(-1)) {
      this.stack.pop();
      top = { span: { from: before.span.from, to: top.span.to }, value: this.add(before.value, top.value) };
    }
    this.stack.push(top);
  }

  /** What could not be joined yet, in order: one sum, once all have been taken. */
  get parts(): readonly { readonly span: Span; readonly value: T }[] {
    return this.stack;
  }
}

/** The spans that a rank sends its sums of. */
export function spansOf(count: number, rank: number, size: number): Span[] {
  const sum = new TreeSum<undefined>(count, () => undefined);
  const { from, to } = leavesOf(count, rank, size);
  for (let leaf = from; leaf < to; leaf++) sum.take({ from: leaf, to: leaf + 1 }, undefined);
  return sum.parts.map(({ span }) => span);
}

/** Most sums that a rank holds at once while it takes its micro-batches, with the one that has just been computed. */
export function mostHeld(count: number, rank = 0, size = 1): number {
  const sum = new TreeSum<undefined>(count, () => undefined);
  const { from, to } = leavesOf(count, rank, size);
  let most = 1;
  for (let leaf = from; leaf < to; leaf++) {
    most = Math.max(most, sum.parts.length + 1);
    sum.take({ from: leaf, to: leaf + 1 }, undefined);
  }
  return most;
}
