/** The library: what the commands are made of, for programs. Subpaths of the package give the same by level. */

export type { CommitmentScheme, GroupRow } from './commitment/commitmentScheme.js';
export {
  type CounterParticipantCommitment,
  commitmentsOf,
  commitmentsOfRows,
} from './commitment/commitments.js';
export {
  diffGroupDigests,
  type GroupDigestList,
  groupDigests,
  readGroupDigests,
} from './commitment/groupDigests.js';
export { type CommitmentEvent, GroupStates } from './commitment/groups.js';
export { type HostingMap, parseHostingMap, readHostingMap } from './commitment/hostingMap.js';
export { type OpenedContract, readOpenCommitment } from './commitment/openCommitment.js';
export { checkOpenCommitment, type OpenCommitmentVerdict } from './commitment/openCommitmentCheck.js';
export { diffOpenCommitments, type OpenCommitmentDifference } from './commitment/openCommitmentDiff.js';
export { readStates, writeStates } from './commitment/savedStates.js';
export { schemeOf } from './commitment/schemes.js';
export { commitmentsOfSnapshot, groupStatesOfSnapshot } from './commitment/snapshotStates.js';
export { isTick, tickBefore } from './commitment/ticks.js';
export { writeOpenCommitment } from './commitment/writeOpenCommitment.js';
export { BlobView } from './contract/blob.js';
export { contentDigest } from './contract/contentDigest.js';
export { type ContractIdInfo, classifyContractId } from './contract/contractId.js';
export { type ContractInstance, decodeBlob, encodeBlob } from './contract/contractInstance.js';
export { ContractView } from './contract/contractView.js';
export { type Manifest, readManifest } from './contract/manifest.js';
export { createSnapshotFile, type SnapshotFile, type SnapshotFileOptions } from './contract/snapshotFile.js';
export type { LfValue } from './contract/value.js';
export { decodeValue } from './contract/valueDecoder.js';
export { encodeValue } from './contract/valueEncoder.js';
export { type Completed, completeContract, type MissingPart } from './convert/completeContract.js';
export { type ConvertOptions, type ConvertResult, convertSources } from './convert/convert.js';
export { type Importability, importability } from './convert/importability.js';
export { readSource, type SourceFacts } from './convert/readSource.js';
export { SOURCE_FORMATS, type SourceContract, type SourceFormat } from './convert/sourceContract.js';
export type { ReadSourceOptions } from './convert/sourceReading.js';
export { type DarCatalog, type LoadDarsOptions, loadDars } from './dar/catalog.js';
export { describeDars, describeInterfaces, describeTemplates, describeTypes } from './dar/describe.js';
export { diffUpgrade, type UpgradeChange, type UpgradeDiff } from './dar/upgradeDiff.js';
export { type Caution, comparedNothing, partialInputs, resultCautions } from './diff/cautions.js';
export { DIFF_CLASSES, type DiffClass } from './diff/classes.js';
export { type DiffOptions, diffInputs } from './diff/diff.js';
export type { Difference } from './diff/difference.js';
export { differenceJson, diffSummaryJson } from './diff/differenceJson.js';
export { type DiffSink, type DiffSource, openedCommitmentSource, snapshotSource } from './diff/diffSource.js';
export { openDiffSource } from './diff/openSource.js';
export { storeSource } from './diff/storeSource.js';
export type { DiffSummary } from './diff/summary.js';
export { type AuthenticateOptions, authenticate } from './hash/authenticate.js';
export {
  type ContractIdOptions,
  type ContractIdParts,
  computeContractId,
  contractIdParts,
  withComputedId,
} from './hash/computeContractId.js';
export type { RemarkCode, Verdict, VerdictCode } from './hash/verdict.js';
export type { AuthenticityReport } from './inspect/authenticity.js';
export { catJsonLines, catSnapshot } from './inspect/cat.js';
export { catCsv } from './inspect/catCsv.js';
export type { Finding } from './inspect/finding.js';
export { type SnapshotInfo, snapshotInfo } from './inspect/info.js';
export { listPackages, type PackagesReport, parseOverrides } from './inspect/packages.js';
export { type PreflightOptions, type PreflightReport, preflightSnapshot } from './inspect/preflight.js';
export { type VerifyReport, verifySnapshot } from './inspect/verify.js';
export { AcsError, type AcsErrorJson, type Place } from './io/error.js';
export type { ByteInput } from './io/input.js';
export { type CountReport, countContracts, countsAgree } from './place/countContracts.js';
export { type PlaceOptions, type PlaceResult, placeContracts } from './place/placeContracts.js';
export { type PlacementRow, readPlacement } from './place/placement.js';
export { type Loss, type Recovered, recoverRecords, recoverSnapshot } from './recover/recover.js';
export { type CompletedMap, completeMap } from './remap/completeMap.js';
export { type PartyHosting, readPartyHosting } from './remap/hosting.js';
export { listParties, type PartiesResult } from './remap/listParties.js';
export { type Mint, mint } from './remap/mint.js';
export { type PartyMap, partyMap, readPartyMap, unchangedParties } from './remap/partyMap.js';
export { remapContracts } from './remap/remap.js';
export type { RemapOptions } from './remap/remapOptions.js';
export type { RemapResult } from './remap/remapResult.js';
export { type MadePlan, makePlan, type PlanOptions } from './repair/plan.js';
export { type PlanJson, readPlan } from './repair/planJson.js';
export { type Policy, parsePolicy } from './repair/policy.js';
export { type Simulation, simulatePlan } from './repair/simulate.js';
export type { FilterConditions } from './reshape/conditions.js';
export { contractIdList, readContractIds } from './reshape/contractIdList.js';
export { type FilterOptions, type FilterResult, filterSnapshot } from './reshape/filter.js';
export { type MergeResult, mergeSnapshots } from './reshape/merge.js';
export { type SplitBy, type SplitResult, splitSnapshot } from './reshape/split.js';
export { encodeFrame, encodeRecord, type RecordParts } from './snapshot/encodeRecord.js';
export type { TemplateId } from './snapshot/eventValues.js';
export type { RecordView } from './snapshot/record.js';
export { type ScanOptions, type SnapshotFacts, scanSnapshot } from './snapshot/scan.js';
export { type ContractToLabel, contractLabeller, type LabelledContract } from './typed/contractLabeller.js';
export { PlanCompiler } from './typed/typePlan.js';
