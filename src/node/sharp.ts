/** @file The one place that knows the picture library: sharp (libvips), which decodes, encodes, resizes and renders SVG. */
export { default as sharp, type Metadata } from 'sharp';
