/** What `NtBuildLab` says in the kernels of each build. */

const LABS: Readonly<Record<number, string>> = {
  7601: '7601.24540.amd64fre.win7sp1_ldr_escrow.191117-1700',
  9600: '9600.21620.amd64fre.winblue_ltsb_escrow.231008-1620',
  14393: '14393.5582.amd64fre.rs1_release.221130-1719',
  17763: '17763.1.amd64fre.rs5_release.180914-1434',
  18362: '18362.1.amd64fre.19h1_release.190318-1202',
  19041: '19041.1.amd64fre.vb_release.191206-1406',
  20348: '20348.1.amd64fre.fe_release.210507-1500',
  22000: '22000.1.amd64fre.co_release.210604-1628',
};

/** The same for 32-bit kernels. Until 2003 no processor is named. */
const LABS_X86: Readonly<Record<number, string>> = {
  2600: '2600.xpsp.080413-2111',
  3790: '3790.srv03_sp2_rtm.070216-1710',
  6002: '6002.18005.x86fre.lh_sp2rtm.090410-1830',
  7601: '7601.17514.x86fre.win7sp1_rtm.101119-1850',
  9200: '9200.16384.x86fre.win8_rtm.120725-1247',
  9600: '9600.17415.x86fre.winblue_r4.141028-1500',
  10240: '10240.16384.x86fre.th1.150709-1700',
  19041: '19041.1.x86fre.vb_release.191206-1406',
};

export function buildLab(build: number, x86 = false): string {
  return (x86 ? LABS_X86 : LABS)[build] ?? `${build}.1.${x86 ? 'x86' : 'amd64'}fre.main.200101-0000`;
}
