/**
 * Makes symbols/objects/data from objects-layouts.json: layouts of what stands between a pool tag and its cause (processes,
 * threads, objects, handle tables). Run it only when those facts change:
 *
 *   node symbols/objects/generate.mjs objects-layouts.json [OUT]
 *
 * The same input gives the same bytes. The files have the form of symbols/profiles/data (README.md there); every set is a
 * release. A type that no source gives for a release is given as in the nearest one: which release a kernel is like is told
 * from its data, never from its number.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [input, out = join(import.meta.dirname, 'data')] = process.argv.slice(2);
if (input === undefined) {
  process.stderr.write('usage: generate.mjs objects-layouts.json [OUT]\n');
  process.exit(2);
}
const { types } = JSON.parse(readFileSync(input, 'utf8'));

/** The fields that are read, by type. */
const KEPT = {
  _EPROCESS:
    'Pcb UniqueProcessId ActiveProcessLinks CreateTime ExitTime ExitStatus ProcessQuotaUsage ProcessQuotaPeak QuotaUsage QuotaPeak CommitCharge CommitChargePeak ObjectTable Token InheritedFromUniqueProcessId ImageFileName SeAuditProcessCreationInfo ThreadListHead ActiveThreads Session Peb SectionObject QuotaBlock Vm',
  _KPROCESS: 'Header DirectoryTableBase ThreadListHead',
  _ETHREAD: 'Tcb CreateTime ExitTime Cid ThreadsProcess ThreadListEntry StartAddress Win32StartAddress ExitStatus',
  _KTHREAD: 'Header ApcState Process State ThreadListEntry InitialStack KernelStack StackBase StackLimit WaitReason',
  _KAPC_STATE: 'Process',
  _HANDLE_TABLE: 'TableCode NextHandleNeedingPool QuotaProcess UniqueProcessId HandleCount HandleTableList FreeLists',
  _HANDLE_TABLE_FREE_LIST: 'HandleCount HighWaterMark',
  _OBJECT_HEADER:
    'PointerCount HandleCount Type TypeIndex NameInfoOffset HandleInfoOffset QuotaInfoOffset InfoMask Flags Body',
  _OBJECT_TYPE:
    'TypeList Name Index TotalNumberOfObjects TotalNumberOfHandles HighWaterNumberOfObjects HighWaterNumberOfHandles TypeInfo Key',
  _OBJECT_TYPE_INITIALIZER: 'PoolType DefaultPagedPoolCharge DefaultNonPagedPoolCharge',
  _OBJECT_HEADER_NAME_INFO: 'Directory Name',
  _OBJECT_HEADER_CREATOR_INFO: 'TypeList CreatorUniqueProcess',
  _OBJECT_DIRECTORY: 'HashBuckets',
  _OBJECT_DIRECTORY_ENTRY: 'ChainLink Object',
  _OBJECT_SYMBOLIC_LINK: 'LinkTarget',
  _FILE_OBJECT: 'Type Size DeviceObject RelatedFileObject Flags FileName',
  _DEVICE_OBJECT:
    'Type Size ReferenceCount DriverObject NextDevice AttachedDevice CurrentIrp Flags Characteristics Vpb DeviceExtension DeviceType SecurityDescriptor DeviceObjectExtension',
  _DEVOBJ_EXTENSION: 'Type Size DeviceObject Dope ExtensionFlags DeviceNode AttachedTo',
  _DRIVER_OBJECT:
    'Type Size DeviceObject DriverStart DriverSize DriverExtension DriverName DriverInit DriverStartIo DriverUnload MajorFunction',
  _DRIVER_EXTENSION: 'DriverObject AddDevice',
  _MDL: 'Next Size MdlFlags Process MappedSystemVa StartVa ByteCount ByteOffset',
  _IO_WORKITEM: 'WorkItem Routine IoObject Context',
  _TOKEN:
    'TokenSource TokenId AuthenticationId ParentTokenId ModifiedId SessionId UserAndGroupCount RestrictedSidCount PrivilegeCount UserAndGroups RestrictedSids PrimaryGroup Privileges TokenType ImpersonationLevel TokenFlags TokenInUse LogonSession',
  _SEP_LOGON_SESSION_REFERENCES: 'Next LogonId ReferenceCount Token AccountName AuthorityName',
  _CM_KEY_BODY: 'KeyControlBlock ProcessID',
  _CM_KEY_CONTROL_BLOCK: 'ParentKcb NameBlock',
  _CM_NAME_CONTROL_BLOCK: 'Compressed NameLength Name',
  _SECTION: 'u1.ControlArea',
  _SECTION_OBJECT: 'Segment',
  _SEGMENT: 'ControlArea',
  _SEGMENT_OBJECT: 'ControlArea',
  _CONTROL_AREA: 'Segment FilePointer',
  _ALPC_PORT: 'CommunicationInfo OwnerProcess',
  _ALPC_COMMUNICATION_INFO: 'ConnectionPort',
  _EJOB: 'TotalProcesses ActiveProcesses JobId',
  _ETW_REG_ENTRY: 'GuidEntry Process',
  _ETW_GUID_ENTRY: 'Guid',
};
const SCALARS = [
  ['i8', 'char'],
  ['u8', 'unsigned char'],
  ['i16', 'short'],
  ['u16', 'unsigned short'],
  ['i32', 'long'],
  ['u32', 'unsigned long'],
  ['i64', 'long long'],
  ['u64', 'unsigned long long'],
];
/** ARM64 has its own of these; what it has in common with x64 is not written again. */
const ARCHITECTURES = { x64: 'x64', x86: 'x86', ARM64: 'arm64' };

/** `14393.4583-14393.6343 I` as the releases from one to the other; of `26100 S` and `26100@2025-12 N` the revision is not known. */
function parseLabel(label) {
  const [first, last = first] = label.split(' ')[0].split('-', label.includes('@') ? 1 : 2);
  const [build, revision = build.includes('@') ? '7000' : '1'] = first.split('.');
  return {
    name: label.split(' ')[0],
    build: parseInt(build, 10),
    low: Number(revision),
    high: Number(last.split('.')[1] ?? revision),
  };
}

/** How far a release is from another: builds first, then revisions. */
function distance(release, other) {
  const builds = Math.abs(release.build - other.build);
  const revisions = release.build !== other.build ? 0 : Math.max(0, other.low - release.low, release.low - other.high);
  // Of two builds as far away the earlier one: what it had goes on until it is changed.
  return builds * 1e6 + revisions * 2 + (other.build > release.build ? 1 : 0);
}

const hex = (value) => value.toString(16);

for (const [given, architecture] of Object.entries(ARCHITECTURES)) {
  const names = Object.keys(KEPT).filter((name) => types[name]?.[given] !== undefined);
  const releases = new Map();
  for (const name of names) {
    for (const { builds } of types[name][given]) {
      for (const label of builds) {
        const release = parseLabel(label);
        if (!releases.has(release.name)) releases.set(release.name, release);
      }
    }
  }
  const table = new Map(names.map((name) => [name, []]));
  const rows = new Map(names.map((name) => [name, new Map()]));
  const columns = new Map(names.map((name) => [name, []]));
  const numberOf = (name, layout) => {
    const kept = KEPT[name].split(' ').filter((field) => layout.fields[field] !== undefined);
    const cells = kept.map((field) => {
      const [offset, type, position, bits] = layout.fields[field];
      const plain = type.replace(/\s+/g, '_').replace(/^unionvolatile_/, '') || '__unnamed';
      return [`${field}:${plain}${position === undefined ? '' : `:${position}:${bits}`}`, hex(offset)];
    });
    for (const [column] of cells) if (!columns.get(name).includes(column)) columns.get(name).push(column);
    const key = `${layout.size} ${cells.flat().join(' ')}`;
    const known = rows.get(name);
    if (!known.has(key)) {
      known.set(key, table.get(name).length);
      table.get(name).push({ size: layout.size, cells: new Map(cells) });
    }
    return known.get(key);
  };
  const ordered = [...releases.values()].sort(
    (a, b) => a.build - b.build || a.low - b.low || (a.name < b.name ? -1 : 1),
  );
  const sets = ordered.map((release) => {
    const numbers = names.map((name) => {
      const near = types[name][given]
        .map((layout) => ({
          layout,
          away: Math.min(...layout.builds.map((label) => distance(release, parseLabel(label)))),
        }))
        .sort((a, b) => a.away - b.away);
      return numberOf(name, near[0].layout);
    });
    return `${release.name} ${numbers.join(' ')}`;
  });
  const head = '# Made by generate.mjs from objects-layouts.json: do not edit.';
  const layouts = [
    head,
    '# type; its columns as field:type; then layouts 0, 1, 2, ...: size and the offset of each column, in hex. Scalars:',
    ...SCALARS.map(([short, long]) => `= ${short} ${long}`),
    ...names.flatMap((name) => [
      '',
      name,
      columns.get(name).join(' '),
      ...table
        .get(name)
        .map(({ size, cells }) =>
          [hex(size), ...columns.get(name).map((column) => cells.get(column) ?? '-')].join(' ').replace(/( -)+$/, ''),
        ),
    ]),
    '',
  ];
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `layouts-${architecture}.txt`), layouts.join('\n'));
  writeFileSync(
    join(out, `layout-sets-${architecture}.txt`),
    [head, '# types, then a release and the number of the layout of each type', names.join(' '), ...sets, ''].join(
      '\n',
    ),
  );
}
