/**
 * What a target participant (3.5 line) does with a contract, by its contract id and its payload's language line
 * (contract-id-authentication spec, section 1; running-nodes spec, "Import").
 */
import { type ContractIdInfo, classifyContractId } from '../contract/contractId.js';

export interface Importability {
  /** `V10`, `V11`, `V12`, `V2_0`, `ca00` … `ca03`, `local`, `relative`, `malformed`, `not-canton`. */
  label: string;
  /** Import mode VALIDATION takes it, given that its content fits its id. */
  validation: boolean;
  /** Import mode ACCEPT: taken, refused, or taken and then unusable. */
  accept: 'taken' | 'refused' | 'taken, then unusable';
  reason: string;
}

/** `contractId` as the source writes it. */
export function importability(contractId: string): Importability {
  if (!/^(?:[0-9a-f]{2})+$/.test(contractId)) {
    return refused('not-canton', 'it is no Canton contract id (a ledger before Canton, or a sandbox)');
  }
  return importabilityOf(classifyContractId(Buffer.from(contractId, 'hex')));
}

export function importabilityOf(info: ContractIdInfo): Importability {
  switch (info.kind) {
    case 'canton':
      return info.version === 'V2_0'
        ? {
            label: info.version,
            validation: false,
            accept: 'taken, then unusable',
            reason: 'its version is above what protocol versions 34 and 35 support',
          }
        : {
            label: info.version,
            validation: true,
            accept: 'taken',
            reason: 'its suffix is checked against the content in VALIDATION; ACCEPT takes it unchecked',
          };
    case 'legacy':
      return refused(
        info.prefix,
        `its suffix ${info.prefix} is of Canton 2.x, which Canton 3 refuses in every import mode`,
      );
    case 'local':
      return refused('local', 'it has no suffix: it was never committed');
    case 'relative':
      return refused('relative', 'its suffix is relative: it was never committed');
    default:
      return refused('malformed', info.reason);
  }
}

function refused(label: string, reason: string): Importability {
  return { label, validation: false, accept: 'refused', reason };
}

/** Why a payload of the 2.x line is no use on Canton 3, whatever its id. */
export const LF1_REASON =
  'its payload is Daml-LF 1 (Canton 2.x); Canton 3 loads Daml-LF 2 packages only: remap it to a rebuilt package with --package-map';
