/**
 * Picks the layouts of processes, objects and handles that the builder of test-dumps/objects writes, one small JSON a
 * kernel in the folder `objects`. Layouts come from a collection of type listings (objects-layouts.json), by the build and
 * revision; a type without a listing of that build is as in the build before. Addresses of globals come from x64.json;
 * of kernels that it does not know they are those of 22000 moved along with its neighbours.
 * Usage: node test-dumps/kernels/extract-objects.js PATH/TO/objects-layouts.json PATH/TO/x64.json
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const SYMBOLS = `
ObTypeIndexTable ObHeaderCookie ObpKernelHandleTable HandleTableListHead SepLogonSessions PsIdleProcess PsProcessType
PsThreadType PsJobType IoFileObjectType ExEventObjectType ExSemaphoreObjectType ExMutantObjectType ExTimerObjectType
SeTokenObjectType CmKeyObjectType MmSectionObjectType AlpcPortObjectType IoDriverObjectType IoDeviceObjectType
ObpDirectoryObjectType ObpSymbolicLinkObjectType ExpPoolQuotaCookie
`
  .trim()
  .split(/\s+/);

/** Types with all of their fields, or with the named ones. */
const TYPES = {
  _EPROCESS: `Pcb CreateTime ExitTime UniqueProcessId ActiveProcessLinks QuotaUsage QuotaPeak ProcessQuotaUsage ProcessQuotaPeak
    CommitCharge CommitChargePeak PeakVirtualSize VirtualSize SessionProcessLinks ObjectTable Token Job SectionObject
    SectionBaseAddress QuotaBlock InheritedFromUniqueProcessId Session ImageFileName ThreadListHead ActiveThreads
    ActiveThreadsHighWatermark LastThreadExitStatus Peb ExitStatus Flags SeAuditProcessCreationInfo ImageFilePointer
    NumberOfPrivatePages NumberOfLockedPages Wow64Process WoW64Process SequenceNumber ProcessExiting ProcessDelete`,
  _KPROCESS: 'Header DirectoryTableBase ThreadListHead',
  _ETHREAD: `Tcb CreateTime ExitTime ExitStatus Cid ThreadsProcess IrpList StartAddress Win32StartAddress ThreadListEntry`,
  _KTHREAD: 'Header Process ThreadListEntry ApcState State WaitReason Teb InitialStack KernelStack StackBase StackLimit',
  _KAPC_STATE: 'ApcListHead Process',
  _OBJECT_HEADER: '*',
  _OBJECT_HEADER_CREATOR_INFO: '*',
  _OBJECT_HEADER_NAME_INFO: '*',
  _OBJECT_HEADER_HANDLE_INFO: '*',
  _OBJECT_HANDLE_COUNT_ENTRY: '*',
  _OBJECT_HEADER_QUOTA_INFO: '*',
  _OBJECT_HEADER_PROCESS_INFO: '*',
  _OBJECT_TYPE: '*',
  _OBJECT_TYPE_INITIALIZER: `Length ObjectTypeFlags MaintainHandleCount MaintainTypeList ValidAccessMask PoolType
    DefaultPagedPoolCharge DefaultNonPagedPoolCharge`,
  _OBJECT_DIRECTORY: '*',
  _OBJECT_DIRECTORY_ENTRY: '*',
  _OBJECT_SYMBOLIC_LINK: '*',
  _HANDLE_TABLE: '*',
  _HANDLE_TABLE_ENTRY: '*',
  _HANDLE_TABLE_FREE_LIST: '*',
  _TOKEN: `TokenSource TokenId AuthenticationId ParentTokenId SessionId UserAndGroupCount UserAndGroups TokenType
    ImpersonationLevel TokenInUse LogonSession VariableLength ModifiedId PrimaryGroup Privileges PrivilegeCount TokenFlags
    RestrictedSidCount RestrictedSids`,
  _SID_AND_ATTRIBUTES: '*',
  _SEP_LOGON_SESSION_REFERENCES: 'Next LogonId ReferenceCount Token AccountName AuthorityName',
  _FILE_OBJECT: `Type Size DeviceObject Vpb FsContext FsContext2 SectionObjectPointer RelatedFileObject ReadAccess SharedRead
    Flags FileName IrpList`,
  _DEVICE_OBJECT: `Type Size ReferenceCount DriverObject NextDevice AttachedDevice Flags Vpb DeviceExtension DeviceType
    StackSize DeviceObjectExtension`,
  _DRIVER_OBJECT: 'Type Size DeviceObject Flags DriverStart DriverSize DriverSection DriverName MajorFunction',
  _VPB: 'Type Size Flags DeviceObject RealDevice ReferenceCount',
  _CM_KEY_BODY: 'Type KeyControlBlock ProcessID KeyBodyList',
  _CM_KEY_CONTROL_BLOCK: 'RefCount ParentKcb NameBlock KeyHive KeyCell',
  _CM_NAME_CONTROL_BLOCK: '*',
  _SECTION: 'u1.ControlArea SizeOfSection u.LongFlags',
  _SECTION_OBJECT: 'StartingVa EndingVa Segment',
  _SEGMENT: 'ControlArea TotalNumberOfPtes SizeOfSegment',
  _CONTROL_AREA: 'Segment NumberOfSectionReferences NumberOfMappedViews NumberOfUserReferences FilePointer',
  _ALPC_PORT: 'PortListEntry CommunicationInfo OwnerProcess',
  _ALPC_COMMUNICATION_INFO: 'ConnectionPort ServerCommunicationPort ClientCommunicationPort',
  _EJOB: 'Event JobLinks ProcessListHead TotalProcesses ActiveProcesses',
  _KEVENT: '*',
  _KMUTANT: 'Header MutantListEntry OwnerThread',
  _KSEMAPHORE: '*',
  _ETIMER: 'KeTimer',
  _DISPATCHER_HEADER: 'Type Size SignalState WaitListHead',
  _CLIENT_ID: '*',
  _EX_FAST_REF: '*',
  _SE_AUDIT_PROCESS_CREATION_INFO: '*',
  _EPROCESS_QUOTA_BLOCK: '*',
};

const [layoutsPath, profilesPath] = process.argv.slice(2);
if (!layoutsPath || !profilesPath) throw new Error('usage: node extract-objects.js objects-layouts.json x64.json');
const { types } = JSON.parse(readFileSync(layoutsPath, 'utf8'));
const { kernels } = JSON.parse(readFileSync(profilesPath, 'utf8'));
const here = (name) => new URL(name, import.meta.url);
const target = here('objects/');
mkdirSync(target, { recursive: true });

/** How well a listing fits a build and revision: 0 is exact, more is worse; infinite: it is of a later build. */
function misfit(listing, build, revision) {
  const match = /^(\d+)(?:@\S+|\.(\d+))?(?:-\d+\.(\d+))? [A-Z]$/.exec(listing);
  if (!match) return Infinity;
  const [of, from, to] = [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? match[2] ?? 0)];
  if (of > build) return Infinity;
  if (of < build) return (build - of) * 1e6;
  if (listing.includes('@')) return 9e5;
  return revision >= from && revision <= to ? 0 : Math.min(Math.abs(revision - from), Math.abs(revision - to));
}

function layoutOf(type, architecture, build, revision) {
  const all = types[type]?.[architecture] ?? [];
  const rated = all.map((layout) => ({
    layout,
    misfit: Math.min(...layout.builds.map((listing) => misfit(listing, build, revision))),
  }));
  return rated.filter((one) => one.misfit < Infinity && one.layout.size > 0).sort((a, b) => a.misfit - b.misfit)[0];
}

/** The type of a field as the PDB of a test kernel shall have it: `u64`, `*void`, `u8[15]`, or `u64:20:44` for bits. */
function typeText([, type, at, count]) {
  const plain = type.startsWith('*') ? `*${/\[\d+\]$/.exec(type)?.[0] ?? ''}` : type;
  return at === undefined ? plain : `${plain}:${at}:${count}`;
}

function structsOf(architecture, build, revision) {
  const structs = {};
  for (const [name, wanted] of Object.entries(TYPES)) {
    const found = layoutOf(name, architecture, build, revision) ?? layoutOf(name, 'x64', architecture === 'ARM64' ? build : -1, revision);
    // A type that ended with an earlier build is no type of this one.
    if (!found || (name === '_SECTION_OBJECT' && build >= 10240) || (name === '_EPROCESS_QUOTA_BLOCK' && build >= 6000)) continue;
    const { size, fields } = found.layout;
    const names = wanted === '*' ? Object.keys(fields) : wanted.split(/\s+/).filter((field) => field in fields);
    const kept = names.filter((field) => fields[field][1] !== '');
    structs[name] = {
      size,
      fields: Object.fromEntries(kept.map((field) => [field, fields[field][0]])),
      types: Object.fromEntries(kept.map((field) => [field, typeText(fields[field])])),
    };
  }
  return structs;
}

const model = JSON.parse(readFileSync(here('10.0.22000.2538.json'), 'utf8'));
const rvasOf = (version) => Object.values(kernels).find((kernel) => kernel.version === version)?.rva;

/** A symbol of the model kernel moves as the next known symbol after it does. */
function moved(facts, rvas) {
  const sorted = Object.entries(model.rva).sort((a, b) => a[1] - b[1]);
  return Object.fromEntries(
    Object.entries(rvas).map(([name, rva]) => {
      const [next, old] = sorted.find(([, at]) => at >= rva) ?? sorted.at(-1);
      return [name, facts.rva[next] - (old - rva)];
    }),
  );
}

function write(name, rva, structs) {
  const lines = Object.entries(structs).map(([type, struct]) => ` ${JSON.stringify(type)}: ${JSON.stringify(struct)}`);
  writeFileSync(
    new URL(`${name}.json`, target),
    `{"rva": ${JSON.stringify(rva)},\n"structs": {\n${lines.join(',\n')}\n}}\n`,
  );
}

for (const file of readdirSync(here('./')).filter((name) => name.endsWith('.json'))) {
  const facts = JSON.parse(readFileSync(here(file), 'utf8'));
  const [, , build, revision] = facts.version.split('.').map(Number);
  const known = rvasOf(facts.version);
  const of = known ?? rvasOf(model.version);
  const wanted = Object.fromEntries(SYMBOLS.filter((symbol) => symbol in of).map((symbol) => [symbol, of[symbol]]));
  const rva = known ? wanted : moved(facts, wanted);
  write(`x64-${facts.version}`, rva, structsOf('x64', build, revision));
  if (build === 26100) write(`arm64-${facts.version}`, rva, structsOf('ARM64', build, revision));
}
for (const file of readdirSync(here('x86/'))) {
  const version = file.slice(0, -5);
  const [, , build, revision] = version.split('.').map(Number);
  if (build >= 2600) write(`x86-${version}`, {}, structsOf('x86', build, revision));
}
