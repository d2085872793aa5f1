/** `acs parties`: who appears in sources, in which role, on which templates. */
import type { LfValue } from '../contract/value.js';
import { decodeValue } from '../contract/valueDecoder.js';
import { readSource, type SourceFacts } from '../convert/readSource.js';
import type { SourceContract, SourceValue } from '../convert/sourceContract.js';
import type { ReadSourceOptions } from '../convert/sourceReading.js';
import { argumentOf, keyOf, templatePlan } from '../convert/typeSource.js';
import type { PlanCompiler } from '../typed/typePlan.js';
import type { PartyHosting } from './hosting.js';
import { ValueRemapper } from './remapValue.js';
import { Tally } from './tally.js';

export interface PartyReport {
  party: string;
  /** Contracts on which the party is a signatory (maintainers included), and so on. */
  signatory: number;
  observer: number;
  maintainer: number;
  witness: number;
  /** Contracts whose argument or key names the party, stakeholder or not. */
  named: number;
  /** Contracts on which it is a stakeholder, by `Module:Entity`. */
  templates: Record<string, number>;
  /** Participants that host it; absent when no hosting was given. */
  hosts?: string[];
}

interface PartyTally extends Omit<PartyReport, 'templates' | 'hosts'> {
  templates: Tally;
}

export interface PartiesResult {
  inputs: SourceFacts[];
  contracts: number;
  parties: PartyReport[];
  /** Contracts whose arguments could not be looked into: JSON without types, and no DAR. */
  untyped: number;
}

export interface PartiesOptions {
  readonly read?: ReadSourceOptions;
  readonly compiler?: PlanCompiler | undefined;
  readonly hostings?: readonly PartyHosting[];
  readonly onProgress?: (contracts: number) => void;
}

/** Every party of the inputs, sorted. */
export async function listParties(
  inputs: readonly string[],
  options: PartiesOptions = {},
): Promise<PartiesResult> {
  const reports = new Map<string, PartyTally>();
  const result: PartiesResult = { inputs: [], contracts: 0, parties: [], untyped: 0 };
  let named = new Set<string>();
  const collector = new ValueRemapper({
    party: (party) => {
      named.add(party);
      return party;
    },
    contractId: (id) => id,
    keyCollision: () => undefined,
  });

  const of = (party: string): PartyTally => {
    let report = reports.get(party);
    if (report === undefined) {
      report = {
        party,
        signatory: 0,
        observer: 0,
        maintainer: 0,
        witness: 0,
        named: 0,
        templates: new Tally(),
      };
      reports.set(party, report);
    }
    return report;
  };

  function look(contract: SourceContract): void {
    result.contracts++;
    if (result.contracts % 1024 === 0) options.onProgress?.(result.contracts);
    const template = `${contract.templateId.moduleName}:${contract.templateId.entityName}`;
    for (const party of contract.signatories) {
      const report = of(party);
      report.signatory++;
      report.templates.add(template);
    }
    for (const party of contract.observers) {
      const report = of(party);
      report.observer++;
      report.templates.add(template);
    }
    for (const party of contract.key?.maintainers ?? []) of(party).maintainer++;
    for (const party of new Set(contract.witnesses)) of(party).witness++;
    named = new Set();
    const values = valuesOf(contract, options.compiler);
    if (values === undefined) result.untyped++;
    else for (const value of values) collector.remap(value);
    for (const party of named) of(party).named++;
  }

  for (const input of inputs) result.inputs.push(await readSource(input, look, options.read));
  result.parties = [...reports.values()]
    .sort((a, b) => (a.party < b.party ? -1 : 1))
    .map((tally) => {
      const report: PartyReport = { ...tally, templates: tally.templates.toObject() };
      if (options.hostings !== undefined && options.hostings.length > 0) {
        const hosts = options.hostings.flatMap((hosting) => hosting.hosts.get(report.party) ?? []);
        report.hosts = [...new Set(hosts)].sort();
      }
      return report;
    });
  return result;
}

/** Argument and key; undefined when their types are not known. */
function valuesOf(contract: SourceContract, compiler: PlanCompiler | undefined): LfValue[] | undefined {
  const untyped = (value: SourceValue | undefined): boolean => value?.form === 'json';
  if (untyped(contract.argument) || untyped(contract.key?.value)) {
    if (templatePlan(compiler, contract.templateId) === undefined) return undefined;
  }
  if (contract.instance !== undefined) {
    const { createArgument, key } = contract.instance;
    return [decodeValue(createArgument), ...(key === undefined ? [] : [decodeValue(key.value)])];
  }
  // References in a form that is no hex do not matter here; any id of the right shape will do.
  const typing = {
    compiler,
    contractId: (id: string) => (/^[0-9a-f]+$/.test(id) ? id : `00${'0'.repeat(64)}`),
  };
  const key = keyOf(contract, typing);
  return [argumentOf(contract, typing), ...(key === undefined ? [] : [key])];
}
