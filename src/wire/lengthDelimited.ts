import { WIRE_BYTES } from './reader.js';

/** A string or bytes field on its own, with tag (field numbers below 16) and length; nothing for an empty one. */
export function lengthDelimited(field: number, content: string | Uint8Array): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  if (bytes.length === 0) return Buffer.alloc(0);
  const head = [(field << 3) | WIRE_BYTES];
  let n = bytes.length;
  while (n >= 0x80) {
    head.push((n % 128) | 0x80);
    n = Math.floor(n / 128);
  }
  head.push(n);
  return Buffer.concat([Buffer.from(head), bytes]);
}
