/** @file Node's own functions for text in terminals. */
export { stripVTControlCharacters, styleText } from 'node:util';
