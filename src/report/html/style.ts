/** The style of every page: light and dark, wide and narrow, screen and paper. */

const LIGHT = `
--page:#f6f7f9;--card:#fff;--ink:#1a1d21;--soft:#525a65;--line:#d8dce2;--head:#eef0f4;--link:#0b57a4;--track:#e3e7ed;
--bad:#b3261e;--bad-back:#fdecea;--warn:#8a5300;--warn-back:#fff3dc;--good:#1b6b36;--good-back:#e6f4ea;
--info-back:#e8f0fb;--code:#f1f3f6;
--used:#4a7fb5;--suspect:#c8443a;--known:#3f6ea3;--unknown:#9a6412;--rest:#6b727c;--on-fill:#fff;
--c0:#c0480a;--c1:#0b66a8;--c2:#067a58;--c3:#a8437e;--c4:#8a6508;--c5:#2a7fa8;--c6:#6b4fb3;--c7:#666d76;`;

const DARK = `
--page:#14161a;--card:#1d2026;--ink:#e8eaee;--soft:#a9b1bd;--line:#383d46;--head:#262a32;--link:#8ab8f2;--track:#31363f;
--bad:#ff9a91;--bad-back:#42201e;--warn:#f5c26b;--warn-back:#3d2f14;--good:#86d69d;--good-back:#18351f;
--info-back:#1c2b40;--code:#262a32;
--used:#5b93cc;--suspect:#b8382f;--known:#36659b;--unknown:#85560f;--rest:#5b626c;--on-fill:#fff;
--c0:#f0834a;--c1:#63b3f2;--c2:#41c79a;--c3:#e58abf;--c4:#dcb44a;--c5:#7fd0f0;--c6:#b39bf0;--c7:#aab1bb;`;

const FRAME = `
*{box-sizing:border-box}
html{color-scheme:light;${LIGHT}-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
@media (prefers-color-scheme:dark){html:not([data-theme=light]){color-scheme:dark;${DARK}}}
html[data-theme=dark]{color-scheme:dark;${DARK}}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
main:focus{outline:none}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:1rem;padding:.5rem 1rem;background:var(--card);z-index:2}
header.top,main,footer{max-width:78rem;margin:0 auto;padding:0 1.25rem}
header.top{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem 1.5rem;padding-top:.9rem;padding-bottom:.6rem}
header.top p{margin:0}
header.top p span{color:var(--soft)}
nav{flex:1}
nav ul{display:flex;flex-wrap:wrap;gap:0 1rem;margin:0;padding:0;list-style:none;font-size:.9rem}
nav a{display:inline-block;padding:.25rem 0}
footer p{max-width:none}
footer{color:var(--soft);font-size:.85rem;padding-top:.5rem;padding-bottom:2rem}
button,input{font:inherit;color:inherit}
button{background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.3rem .8rem;cursor:pointer}
button:hover{border-color:var(--soft)}
section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1.1rem 1.35rem;margin:0 0 1rem}
h1,h2,h3,h4{line-height:1.25;margin:0;text-wrap:balance}
h1{font-size:1.75rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin-bottom:.6rem}
h3{font-size:1rem;margin:1.1rem 0 .4rem}
h4{font-size:1rem;margin:0}
p{margin:.4rem 0;max-width:75ch}
ul,ol{margin:.3rem 0;padding-left:1.4rem}
li{margin:.25rem 0;max-width:80ch}
code,pre,.mono{font-family:ui-monospace,"Cascadia Mono",Consolas,Menlo,monospace;font-size:.875em}
code,td,th,dd,.data{unicode-bidi:isolate}
h1,h2,h3,h4,p,li,dd,summary,.data{overflow-wrap:anywhere;min-width:0}
code{white-space:pre-wrap}
pre{margin:.4rem 0;padding:.6rem .8rem;background:var(--code);border-radius:.4rem;overflow-x:auto;line-height:1.4;tab-size:8}
.soft{color:var(--soft)}
`;

/** Of lines and of the squares that name them. */
const COLOURS = Array.from({ length: 8 }, (_, i) => `.line-${i}{color:var(--c${i})}.fill-${i}{fill:var(--c${i})}`).join(
  '',
);

const PARTS = `
.verdict{border-left:.45rem solid var(--line)}
.verdict.bad{border-left-color:var(--bad)}.verdict.warn{border-left-color:var(--warn)}.verdict.good{border-left-color:var(--good)}
.badges{display:flex;flex-wrap:wrap;gap:.4rem;margin:0 0 .5rem}
.badge{display:inline-block;padding:.08rem .6rem;border-radius:1rem;font-size:.85rem;font-weight:600;background:var(--head);color:var(--ink);white-space:nowrap}
.badge.bad{background:var(--bad-back);color:var(--bad)}.badge.warn{background:var(--warn-back);color:var(--warn)}
.badge.good{background:var(--good-back);color:var(--good)}
.facts{color:var(--soft);margin:.5rem 0 0;overflow-wrap:anywhere;max-width:none}
.pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:0 2rem}
.bar{display:grid;grid-template-columns:10rem 1fr;gap:.1rem 1rem;align-items:center;margin:.7rem 0}
.bar .name{font-weight:600}
.bar .figure{grid-column:2;font-size:.92rem}
.bar svg{display:block;width:100%;height:1.15rem;border-radius:.25rem;background:var(--track)}
.fill-used{fill:var(--used)}.fill-suspect{fill:var(--suspect)}.fill-known{fill:var(--known)}.fill-unknown{fill:var(--unknown)}.fill-rest{fill:var(--rest)}.fill-track{fill:var(--track)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.5rem 0 0;padding:0;list-style:none;font-size:.9rem}
.legend li{margin:0;max-width:none}
.legend svg{width:.85rem;height:.85rem;margin-right:.4rem;vertical-align:-.08rem;border-radius:.15rem}
figure{margin:0 0 1rem}
figcaption{font-weight:600;margin:.3rem 0 .4rem}
.picture{display:block;width:100%;height:auto}
.picture.narrow{display:none}
.tree text{fill:var(--on-fill);font-size:13px}
.tree .tag{font-family:ui-monospace,"Cascadia Mono",Consolas,Menlo,monospace;font-weight:600}
.js .tree [data-tag]{cursor:pointer}
.tree rect{stroke:var(--card);stroke-width:1}
.driver{border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem;margin:.6rem 0}
.driver h3{margin:0}
.driver .name{display:flex;flex-wrap:wrap;gap:.2rem .7rem;align-items:baseline}
.evidence{margin:.6rem 0 0;padding:.5rem 0 0;border-top:1px solid var(--line)}
.evidence pre{margin:.25rem 0}
.evidence ul,.plain{list-style:none;padding:0}
.place{display:flex;flex-wrap:wrap;gap:.1rem 1rem;margin:0;max-width:none}
.for li::marker{content:"+\\a0 ";font-weight:700;color:var(--good)}
.against li::marker{content:"\\2212\\a0 ";font-weight:700;color:var(--warn)}
.notes li::marker{content:"!\\a0 ";font-weight:700;color:var(--warn)}
${COLOURS}
.chart text{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}.chart .mark{fill:var(--ink)}
.chart .grid,.chart .tick{stroke:var(--line)}.chart .restart{stroke:var(--soft);stroke-dasharray:4 4}
.chart .limit{stroke:var(--bad);stroke-dasharray:8 4;stroke-width:1.5}
.chart path{fill:none;stroke:currentColor;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}.chart circle{fill:currentColor}
h2.after{font-size:1rem;margin:1rem 0 .3rem}
.spark{vertical-align:middle}.spark path{fill:none;stroke:var(--c1);stroke-width:1.8;stroke-linejoin:round}.spark circle{fill:var(--c0)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem 1.2rem;margin:.3rem 0}
dt{color:var(--soft)}dd{margin:0}
details summary{cursor:pointer;font-weight:600;padding:.2rem 0}
details h2{display:inline}
`;

const TABLES = `
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.4rem}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.45rem .6rem;color:var(--soft)}
th,td{padding:.28rem .6rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th,thead td{background:var(--head);border-top:0}
thead th{white-space:nowrap;vertical-align:bottom}
thead .groups th{border-left:1px solid var(--line);text-align:center}
tbody th{font-weight:600}
td,th{overflow-wrap:break-word}
td code,th code{white-space:pre}
.path,td .path{display:inline-block;white-space:pre-wrap;overflow-wrap:anywhere;min-width:min(20rem,60vw)}
.time{white-space:nowrap}
.long{display:inline-block;min-width:min(16rem,60vw)}
.num{text-align:right;white-space:nowrap}
tbody tr:hover{background:var(--head)}
tbody tr.hit{background:var(--bad-back)}
.sort{all:unset;cursor:pointer;font-weight:600}
.sort:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.sort::after{content:"\\2195";opacity:.45;padding-left:.35em;font-weight:400}
[aria-sort=ascending] .sort::after{content:"\\2191";opacity:1}
[aria-sort=descending] .sort::after{content:"\\2193";opacity:1}
.tools{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;align-items:center;margin:.3rem 0 .6rem}
.tools input{padding:.3rem .6rem;border:1px solid var(--soft);border-radius:.4rem;background:var(--card);width:16rem;max-width:100%}
.tools .status{margin:0;color:var(--soft);font-size:.9rem}
.more{display:flex;gap:.6rem;margin-top:.6rem}
.more:not(:has(button:not([hidden]))){display:none}
.js table[data-page]:not([data-ready]) tbody tr:nth-child(n+101){display:none}
`;

const MEDIA = `
@media screen and (max-width:50rem){
header.top,main,footer{padding-left:.7rem;padding-right:.7rem}
section{padding:.9rem}
h1{font-size:1.35rem}
.pair{grid-template-columns:minmax(0,1fr)}
.bar{grid-template-columns:1fr}.bar .figure{grid-column:1}
.picture.wide{display:none}.picture.narrow{display:block}
dl{grid-template-columns:1fr}dd{margin-bottom:.35rem}
nav ul{flex-wrap:nowrap;overflow-x:auto;white-space:nowrap}
nav li{flex:none}
nav{flex-basis:100%;order:3;min-width:0}
header.top p{flex:1}
}
@media print{
html,html:not([data-theme=light]),html[data-theme=dark]{color-scheme:light;${LIGHT}}
@page{margin:14mm}
body{background:#fff;font-size:10.5pt}
nav,.tools input,.tools label,.more,.theme,.skip{display:none}
header.top,main,footer{max-width:none;padding-left:0;padding-right:0}
section{border:0;border-top:1px solid var(--line);border-radius:0;padding:.5rem 0;margin:0}
figure{margin:0 0 .4rem}.picture{max-height:60mm}.pair .picture{max-height:34mm}.bar{margin:.4rem 0}
.verdict{border:1px solid var(--line);border-left:.45rem solid var(--bad);padding:.8rem}
.scroll{overflow:visible;border:0}
table{font-size:7.5pt}thead{display:table-header-group}
th,td{padding:.12rem .3rem}thead th{white-space:normal}.sort::after{content:none}
td,th{overflow-wrap:anywhere}td code,th code{white-space:pre-wrap}
.long,.path,td .path{min-width:0}
tr,figure,.evidence,.bar,li{break-inside:avoid}
h2,h3,h4{break-after:avoid}
pre{white-space:pre-wrap}
svg,.badge,.bar svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;

/** The whole sheet. */
export const STYLE = [FRAME, PARTS, TABLES, MEDIA].join('').trim();
