/** @file What the studio's page may do: the same policy from the server (headers) and in a static site (a meta element). */

/**
 * Content security policy. Scripts, styles and workers only from the page's own place, WebAssembly for ONNX Runtime, pictures only from memory;
 * requests go to the page's own place and those named.
 * @param connect further places that the page may ask, such as the hub's addresses; none for the server's page
 */
export const contentPolicy = (connect: readonly string[] = []): string =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    'img-src blob: data:',
    `connect-src ${["'self'", ...connect].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

/**
 * Headers of every reply of the server: the policy, no frames (which only a header can say), a window and a process of its own (threads of
 * WebAssembly need that), no sniffing, no address given to others. There is no CORS header, ever.
 */
export const SAFETY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `${contentPolicy()}; frame-ancestors 'none'`,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), usb=()',
};
