/** Plausible names for scenarios: the system's own drivers by generation, and pool tags as running systems show them. */

import type { ModuleSpec } from './scenario.js';

const KB = 1024;

/** Name and size in KB; what every x64 system loads. */
const SYSTEM = `
hal.dll 276,kdcom.dll 40,mcupdate_GenuineIntel.dll 300,PSHED.dll 80,CLFS.SYS 376,CI.dll 768,Wdf01000.sys 656,WDFLDR.SYS 64,
ACPI.sys 348,WMILIB.SYS 36,msisadrv.sys 40,pci.sys 204,vdrvroot.sys 52,partmgr.sys 84,volmgr.sys 84,volmgrx.sys 368,
mountmgr.sys 104,storport.sys 396,stornvme.sys 108,fltmgr.sys 304,fileinfo.sys 80,Ntfs.sys 1676,msrpc.sys 376,ksecdd.sys 112,
cng.sys 460,pcw.sys 68,Fs_Rec.sys 40,ndis.sys 968,NETIO.SYS 384,ksecpkg.sys 172,tcpip.sys 2040,fwpkclnt.sys 296,volsnap.sys 304,
spldr.sys 32,rdyboost.sys 232,mup.sys 72,fvevol.sys 232,disk.sys 88,CLASSPNP.SYS 192,crashdmp.sys 56,cdrom.sys 168,Null.SYS 36,
Beep.SYS 28,VIDEOPRT.SYS 148,watchdog.sys 64,Msfs.SYS 44,Npfs.SYS 68,tdx.sys 136,TDI.SYS 52,afd.sys 548,netbt.sys 276,
pacer.sys 152,netbios.sys 60,wanarp.sys 108,rdbss.sys 324,nsiproxy.sys 48,mssmbios.sys 44,csc.sys 524,dfsc.sys 120,tunnel.sys 152,
intelppm.sys 88,HDAudBus.sys 144,USBPORT.SYS 344,usbhub.sys 360,kbdclass.sys 60,mouclass.sys 60,CompositeBus.sys 64,swenum.sys 28,
ks.sys 268,umbus.sys 72,portcls.sys 248,luafv.sys 140,lltdio.sys 84,rspndr.sys 96,HTTP.sys 808,bowser.sys 120,mpsdrv.sys 96,
mrxsmb.sys 180,mrxsmb20.sys 156,srvnet.sys 196,srv2.sys 424,peauth.sys 664,tcpipreg.sys 72,monitor.sys 56
`;

/** What Windows 7 and Server 2008 R2 have besides. */
const SEVEN = `
intelide.sys 36,PCIIDEX.SYS 64,atapi.sys 36,ataport.SYS 168,msahci.sys 44,amdxata.sys 44,hwpolicy.sys 36,vga.sys 56,RDPCDD.sys 36,
rdpencdd.sys 36,rdprefmp.sys 36,termdd.sys 80,discache.sys 60,blbdrive.sys 68,e1g6032e.sys 140,USBD.SYS 8,usbuhci.sys 48,
usbehci.sys 68,i8042prt.sys 120,serial.sys 96,serenum.sys 48,parport.sys 116,fdc.sys 52,drmk.sys 136,mrxsmb10.sys 308,srv.sys 612,
secdrv.SYS 44,dump_diskdump.sys 40,dump_storport.sys 44,dump_dumpfve.sys 76
`;

/** What Windows 10 and later have besides. */
const TEN = `
werkernel.sys 68,tm.sys 156,SgrmAgent.sys 92,WindowsTrustedRT.sys 84,acpiex.sys 152,cdfs.sys 112,iorate.sys 64,EhStorClass.sys 112,
dxgkrnl.sys 3840,dxgmms2.sys 900,BasicDisplay.sys 84,BasicRender.sys 68,CimFS.SYS 184,wcifs.sys 228,cldflt.sys 520,storqosflt.sys 152,
bindflt.sys 148,vwififlt.sys 84,vwifibus.sys 56,condrv.sys 72,mmcss.sys 76,ahcache.sys 324,gpuenergydrv.sys 40,npsvctrig.sys 44,
UcmCx.sys 132,USBXHCI.SYS 632,UsbHub3.sys 668,ucx01000.sys 264,kbdhid.sys 72,mouhid.sys 60,HIDCLASS.SYS 228,HIDPARSE.SYS 80,
winhvr.sys 136,WppRecorder.sys 68,WdFilter.sys 420,filecrypt.sys 92,Ndu.sys 152,vmbkmcl.sys 132,hvservice.sys 116,e1i68x64.sys 540
`;

/** Desktop and console images, which live in session space. */
const SESSION = `win32k.sys 620,win32kbase.sys 2860,win32kfull.sys 3700,cdd.dll 276`;
const SESSION_SEVEN = `win32k.sys 3160,TSDDD.dll 40,cdd.dll 156`;

/** Drivers of hardware makers and software houses, invented. */
export const THIRD_PARTY = `acmenet.sys 412,northfs.sys 236,vantagemon.sys 148,orbitav.sys 724,kestrelusb.sys 96,lumengfx.sys 2960,
relayvpn.sys 188,quarrybk.sys 164`;

function parse(text: string): ModuleSpec[] {
  return text
    .trim()
    .split(/,\s*/)
    .map((entry) => {
      const [name = '', size = '40'] = entry.split(' ');
      return { name, size: Number(size) * KB };
    });
}

/** The drivers of an ordinary system of that build, in load order, without ntoskrnl.exe. */
export function systemDrivers(build: number, options: { sessions?: boolean; thirdParty?: boolean } = {}): ModuleSpec[] {
  const fileVersion = build <= 7601 ? '6.1.7601.24540' : build <= 9600 ? '6.3.9600.21620' : `10.0.${build}.1`;
  const own = [...parse(SYSTEM), ...parse(build <= 7601 ? SEVEN : TEN)].map((spec) => ({
    ...spec,
    version: { fileVersion },
  }));
  const session =
    options.sessions === false
      ? []
      : parse(build <= 7601 ? SESSION_SEVEN : SESSION).map((spec) => ({ ...spec, session: true }));
  const others =
    options.thirdParty === false
      ? []
      : parse(THIRD_PARTY).map((spec) => ({
          ...spec,
          version: { fileVersion: '4.2.0.17', companyName: 'Example Devices', productName: spec.name },
        }));
  return [...own, ...others, ...session.map((spec) => ({ ...spec, path: `\\SystemRoot\\System32\\${spec.name}` }))];
}

/** Tags mostly of nonpaged allocations. */
export const NONPAGED_TAGS =
  'EtwB File Even Thre Proc Sema Muta Irp  MmCa MmCi MmCm MmDT MmPb MmPp MmLn MmIm MmEx MmAc MmSe MmSt MmTt Vad  VadS VadF ' +
  'NtFs Ntfr NtfF NtfD Ntfn NtfE NtFA FMic FMfn FMis FMsl FMvj FMng FMfc FIPc FIfn TcpE TcpP TcpT TcDN TcpA TcpI UdpA InPa InSp ' +
  'IPif IPss IPrq Ipng IpFI NDnd NDpp NDpb NDmi NDdl NDse NDrt NDoa NDam NDob NDop AfdB AfdC AfdE AfdX AfdI AfdF Usbp UsbD usbh ' +
  'HidC HidP HidD KbdC MouC Clas CdRm ScsI ScCd ScDs Pcmc PciB PciI PcMo AcpA AcpD AcpO AcpX AcpF Io   IoNm IoSD IoSI IoFs IoTi ' +
  'IoDn IoRN PsTp PsJb PsEx PsWs PsLd PsIn PsTf PsSb SeTn SeSd SeAc SeTd Toke ObDi ObNm ObSq ObRt Key  CMpb CMkb CcSc CcVa CcZe ' +
  'CcWK CcBz CcPL EtwP EtwT EtwG EtwS EtwR EtwA EtwC EtwD EtwF EtwK EtwM EtwQ EtwU EtwX EtwZ Pool Wait ALPC AlMs AlSe AlEB Ddk  ' +
  'Wdm  None FxDr FxFl FxTa VoSm VolM VoSn VoSx RaME RaDA RaDI RxNc RxSc RxCo Mup  MupC Nbtk Nbt0 NbtA Nb   Npfs NpFn NpFs NpFr ' +
  'LSwi LSac LSbf LSes SmCv SrNt smNp Smb2 Msvn BthP VmbK StCl StPr HvlP Hal  HalM DxgK Dxgk VidM Vi12 Vi54 Wfpn WfpL WfpS FwpC ' +
  'FwpX WfpE KSec Cngb CngK PfFK PfTt PfHT PfCs TmTx TmRm ClfI ClfA DfSc Sect TTse Dump Notc Bufr Work Wrk2';

/** Tags mostly of paged allocations. */
export const PAGED_TAGS =
  'CM31 CM25 CM16 CMVa CMNb CMAl CMIn CMDc CMSb CMUw CMVI MmSm MmSd MmRe MmHn MmWe MmDb MmRl MmFr Ntff NtfS Ntf0 NtfC NtfM NtFi ' +
  'NtFB NtfV NtfI NtFS NtFC FMfz FMos FSun FSim FSro FSfm Gla1 Gla4 Gla5 Gh05 Gh08 Gh15 Gtmp Gdev Gpff Gfnt Gglb Gdrs Gdcf GVal ' +
  'GDev Usac Uskb Usdc Uscu Ustx Usty UsWs Uswp Toke SeTl SePr SeUs SeOn SeLw ObSc ObNM ObSt PsPb Sect Symb Link Dire DirF SymT ' +
  'DevT IoEA IoCo RxFc RxVN ScSi CIcr CIsc CIpk CIha CIss PsFn PfAL PfED PfNL PfVA PfDi PfVH PfSN AlIn LcRe LpcM Wmip WmiR WmiL ' +
  'WmII WmiG UlHT UlDO UlFR UlUC UlRD CSdr CSsb DCac Vprt VFsd SmMs SmSh SeUm Tedd TmRe TmEn ClfL ClfB ClfC AppC AppM AhcC AhcE ' +
  'PcFi Spol NSIk NSpc SrvS LSsh LStr LSop LSfi LSdb MSdg MPfc MPct MPri MPsc BFTb BFCc WcIf WcSc CldF CldS Cdma DCvi MmCp ReTa ' +
  'IoUs ObCi EtwW EtwH';
