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

export function buildLab(build: number): string {
  return LABS[build] ?? `${build}.1.amd64fre.main.200101-0000`;
}
