import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { spill } from '../../src/remap/byteSpill.js';

const texts = ['first', '', 'a second one', 'x'.repeat(100_000)];

describe('byte strings kept for later', () => {
  it.each([0, 8, 1 << 20])('come back with %i bytes of memory', (limit) => {
    const kept = spill(limit);
    const handles = texts.map((text) => kept.put(Buffer.from(text)));
    expect(handles.map((handle) => kept.get(handle).toString())).toEqual(texts);
    kept.close();
  });

  it('a folder for temporary files that is not there is told as such', () => {
    const kept = spill(0, join(tmpdir(), 'no', 'such', 'folder'));
    expect(() => kept.put(Buffer.from('x'))).toThrow(expect.objectContaining({ code: 'FILE_UNWRITABLE' }));
    kept.close();
  });
});
