/** The raw bytes of a hex id; anything else as UTF-8 text. */
export function idBytes(id: string): Buffer {
  return id.length % 2 === 0 && /^[0-9a-f]+$/.test(id) ? Buffer.from(id, 'hex') : Buffer.from(id);
}
