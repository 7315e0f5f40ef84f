/** @file Marks for pictures inside of texts: MMMU's `<image 1>` becomes `<image>`, with the pictures in the order of the marks. */

const MARK = /<image (\d+)>/g;

/** Texts with plain marks, and the number behind each mark in their order. */
export function plainMarks(texts: readonly string[]): { readonly texts: string[]; readonly order: number[] } {
  const order: number[] = [];
  const plain = texts.map(text =>
    text.replace(MARK, (_, number: string) => {
      order.push(Number(number));
      return '<image>';
    }),
  );
  return { texts: plain, order };
}
