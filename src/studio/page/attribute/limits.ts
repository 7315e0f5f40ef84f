/** @file Numbers of the Attribute view. */

/** Methods side by side. */
export const MOST_PANELS = 4;
/** A method that is expected to take longer than this is asked about first, in seconds. */
export const DEAR_SECONDS = 8;
/** Frames are played at least this far apart, in milliseconds, so that the eye can follow a fast model. */
export const FRAME_MILLISECONDS = 110;
/** Longest side of the layer of colours that is laid on it. */
export const HEAT_PIXELS = 512;
