import { describe, expect, it } from 'vitest';
import { type LfValue, MAX_VALUE_DEPTH } from '../../src/contract/value.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { valueTranscoder } from '../../src/contract/valueTranscoder.js';
import { ForwardWriter } from '../../src/wire/forwardWriter.js';

const WRAP: Record<string, (value: LfValue) => LfValue> = {
  optional: (value) => ({ kind: 'optional', value }),
  list: (value) => ({ kind: 'list', items: [value] }),
  record: (value) => ({ kind: 'record', fields: [value] }),
  variant: (value) => ({ kind: 'variant', tag: 'Tag', value }),
  genMap: (value) => ({ kind: 'genMap', entries: [[{ kind: 'unit' }, value]] }),
  textMap: (value) => ({ kind: 'textMap', entries: [['key', value]] }),
};

describe('LF values for the Ledger API', () => {
  it.each(Object.keys(WRAP))('of kind %s may be nested as deeply as a participant reads them', (kind) => {
    const writer = new ForwardWriter();
    const { createArguments } = valueTranscoder(writer);
    let value: LfValue = { kind: 'unit' };
    for (let depth = 1; depth < MAX_VALUE_DEPTH; depth++)
      value = (WRAP[kind] as (v: LfValue) => LfValue)(value);
    const bytes = encodeValue({ kind: 'record', fields: [value] });
    decodeValue(bytes);
    writer.copyFrom(bytes);
    expect(() => createArguments(bytes, 0, bytes.length)).not.toThrow();
  });
});
