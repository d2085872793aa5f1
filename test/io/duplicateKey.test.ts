import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duplicateKey } from '../../src/io/duplicateKey.js';

describe('keys that stand twice', () => {
  it('are found with their place', () => {
    expect(duplicateKey('{"a":1,"a":2}')).toEqual(['a']);
    expect(duplicateKey('{"a":{"x":[0,{"k":1,"\\u006b":2}]}}')).toEqual(['a', 'x', 1, 'k']);
    expect(duplicateKey('{"a":{"b":1},"c":{"b":1},"c":{}}')).toEqual(['c']);
    expect(duplicateKey('[{"a":"\\"a\\":"},{"a":"{"},{"a\\\\":1,"a":[],"a\\\\":2}]')).toEqual([2, 'a\\']);
  });

  it('are not seen where there are none', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        // What comes back from JSON.stringify of parsed JSON has every key once.
        expect(duplicateKey(JSON.stringify(JSON.parse(text), null, 1))).toBeUndefined();
      }),
    );
  });
});
