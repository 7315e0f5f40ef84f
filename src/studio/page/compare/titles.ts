/** @file Names as a comparison has them. */
import type { ComparisonView } from '../../evidence.ts';

/** A method's title in this comparison. */
export const titleOf = (view: ComparisonView, name: string): string => view.methods.find(method => method.name === name)?.title ?? name;
