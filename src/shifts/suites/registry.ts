/** @file The suites that are built in. The command line, the page and the tests read this list. */
import { emiSynthetic } from './emi-synthetic.ts';
import { imagenetC, imagenetCExtra } from './imagenet-c.ts';
import type { Suite } from './suite.ts';
import { vittleNines, vittleTranslated } from './vittle-9x9x9.ts';

/** In the order of how often they are needed. */
export const suites: readonly Suite[] = [vittleNines, vittleTranslated, emiSynthetic, imagenetC, imagenetCExtra];

/** The built-in suite of a name, whatever its case and with hyphens or underscores; undefined where there is none. */
export const findSuite = (name: string): Suite | undefined => suites.find(s => s.name === name.toLowerCase().replaceAll('_', '-'));
