import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AcsError } from '../../src/io/error.js';
import { xxh64 } from '../../src/wire/xxh64.js';
import { inflateZstd } from '../../src/wire/zstd.js';

/** Bytes that look random and are the same every time. */
function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, state = seed; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

function low32(bytes: Buffer, step = bytes.length || 1): number {
  const hash = xxh64();
  for (let at = 0; at < bytes.length; at += step) hash.update(bytes.subarray(at, at + step));
  return hash.low32();
}

/** A frame of one uncompressed block, the size in one byte. */
function frame(content: Buffer, checksum: boolean, sum = low32(content)): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, checksum ? 0x24 : 0x20, content.length, 0, 0, 0]);
  head.writeUIntLE((content.length << 3) | 1, 6, 3);
  const tail = Buffer.alloc(checksum ? 4 : 0);
  if (checksum) tail.writeUInt32LE(sum);
  return Buffer.concat([head, content, tail]);
}

async function inflate(bytes: Buffer, step = bytes.length): Promise<Buffer> {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
  }
  const parts: Buffer[] = [];
  for await (const part of inflateZstd(chunks())) parts.push(part);
  return Buffer.concat(parts);
}

describe('XXH64', () => {
  it.each([
    ['', 0x51d8e999],
    ['a', 0xa98c6e5b],
    ['abc', 0xad770999],
  ])('of %j', (text, expected) => {
    expect(low32(Buffer.from(text))).toBe(expected);
  });

  it('is the same however the bytes come', () => {
    for (const length of [31, 32, 33, 100, 1000]) {
      const bytes = noise(length);
      const whole = low32(bytes);
      for (const step of [1, 7, 32, 40]) expect(low32(bytes, step)).toBe(whole);
    }
  });
});

describe('zstd', () => {
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

  it('gives every frame, small ones too, with and without checksums, in chunks of any size', async () => {
    for (const checksum of [false, true]) {
      const contents = ['{"a":', '', '1', '}\n'].map((text) => Buffer.from(text));
      const frames = contents.flatMap((content) => [frame(content, checksum), skippable]);
      frames.push(frame(noise(200), !checksum), frame(Buffer.from('!'), checksum));
      const whole = Buffer.concat(frames);
      const expected = Buffer.concat([...contents, noise(200), Buffer.from('!')]);
      for (const step of [1, 2, 3, 5, 11, 64, whole.length]) {
        expect((await inflate(whole, step)).equals(expected)).toBe(true);
      }
    }
  });

  it('a byte that changed is found where there is a checksum', async () => {
    const content = noise(90);
    const good = Buffer.concat([frame(noise(50), false), frame(content, true), frame(noise(20), true)]);
    const start = frame(noise(50), false).length;
    for (let at = start + 9; at < start + 9 + content.length + 4; at++) {
      const bad = Buffer.from(good);
      bad[at] ^= 1;
      for (const step of [7, good.length]) {
        await expect(inflate(bad, step)).rejects.toMatchObject({
          code: 'ZSTD_CHECKSUM',
          place: { byteOffset: start + 9 + content.length + 4 },
        });
      }
    }
  });

  it('cut anywhere it is refused, but for the borders of frames', async () => {
    const parts = [frame(noise(30), true), frame(noise(40), false)];
    const whole = Buffer.concat(parts);
    for (let cut = 1; cut < whole.length; cut++) {
      if (cut === parts[0].length) continue;
      for (const step of [1, cut]) {
        await expect(inflate(whole.subarray(0, cut), step)).rejects.toMatchObject({ code: 'ZSTD_TRUNCATED' });
      }
    }
  });

  it.skipIf(!existsSync('/usr/bin/zstd'))('of the real program', async () => {
    const plain = Buffer.concat([Buffer.from('{"contract":1}\n'.repeat(20_000)), noise(300_000)]);
    for (const words of [['-3'], ['-19'], ['-3', '--no-check']]) {
      const made = execFileSync('/usr/bin/zstd', ['-c', '-q', ...words], { input: plain });
      expect((await inflate(made, 50_001)).equals(plain)).toBe(true);
      const twice = await inflate(Buffer.concat([made, made]), 100_003);
      expect(twice.equals(Buffer.concat([plain, plain]))).toBe(true);
      if (words.includes('--no-check')) continue;
      for (let at = made.length - 1; at > 20; at -= 23_456) {
        const bad = Buffer.from(made);
        bad[at] ^= 4;
        await expect(inflate(bad)).rejects.toThrow(AcsError);
      }
    }
  });
});
