// svg.ts - one SVG document of a drawn trace, for saving and printing.
import type { Box, Layout, Trace } from './protocol.ts';

const STYLE = `text{font:12px ui-sans-serif,system-ui,sans-serif;fill:#1b1f24}.node{fill:#fff;stroke:#57606a}.param{fill:#fff3d6;stroke:#b7791f}.input,.const{fill:#e3f0ff;stroke:#2b6cb0}
.group{fill:#f3effc;stroke:#6b46c1}.frame{fill:none;stroke:#c5ccd3;stroke-dasharray:4 3}.wire{fill:none;stroke:#8c959f;stroke-width:1.2}.small{font-size:10px;fill:#57606a}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9aa4ae}.node{fill:#1c2128}.param{fill:#3b2f14}.input,.const{fill:#14283d}.group{fill:#241c3a}}`;
const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (s: string): string => s.replace(/[&<>"]/g, (c) => ENTITIES[c]!);
const n = (v: number): string => String(Math.round(v * 10) / 10);

/** A smooth line through the points (Catmull-Rom, as cubic pieces). */
function path(p: Float32Array): string {
  const at = (i: number): [number, number] => { const k = Math.max(0, Math.min(p.length / 2 - 1, i)) * 2; return [p[k]!, p[k + 1]!]; };
  let d = `M${n(p[0]!)} ${n(p[1]!)}`;
  for (let i = 0; i + 1 < p.length / 2; i++) {
    const [a, b, c, e] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    d += `C${n(b[0] + (c[0] - a[0]) / 6)} ${n(b[1] + (c[1] - a[1]) / 6)} ${n(c[0] - (e[0] - b[0]) / 6)} ${n(c[1] - (e[1] - b[1]) / 6)} ${n(c[0])} ${n(c[1])}`;
  }
  return d;
}

/** Class, name and small print of a box. */
function words(b: Box, t: Trace): [string, string, string] {
  if (b.kind === 'node') {
    const node = t.nodes[b.id], out = node && t.tensors[node.firstOut];
    return ['node', node?.op ?? '', out ? `[${out.shape}]` : ''];
  }
  if (b.kind === 'tensor') {
    const x = t.tensors[b.id];
    return [x?.kind ?? 'input', x?.name ?? '', x ? `[${x.shape}]` : ''];
  }
  const name = t.groups[b.id]?.name ?? '';
  return [b.kind, b.count > 1 ? `${name} \u00d7${b.count}` : name, ''];
}

export function drawSvg(trace: Trace, l: Omit<Layout, 'ms'>): string {
  const parts = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 -8 ${n(l.width + 16)} ${n(l.height + 16)}" width="${n(l.width + 16)}" height="${n(l.height + 16)}">`,
    `<title>${escape(`step ${trace.step}`)}</title><style>${STYLE}</style>`];
  const box = (b: Box): string => {
    const [kind, name, small] = words(b, trace), x = b.x + b.w / 2, top = b.kind === 'frame', y = top ? b.y + 14 : b.y + b.h / 2 + (small ? -2 : 4);
    return `<rect class="${kind}" x="${n(b.x)}" y="${n(b.y)}" width="${n(b.w)}" height="${n(b.h)}" rx="4"/>`
      + `<text x="${n(top ? b.x + 8 : x)}" y="${n(y)}"${top ? '' : ' text-anchor="middle"'}>${escape(name)}</text>`
      + (small ? `<text class="small" x="${n(x)}" y="${n(y + 13)}" text-anchor="middle">${escape(small)}</text>` : '');
  };
  parts.push(...l.boxes.filter((b) => b.kind === 'frame').map(box));
  parts.push(...l.wires.filter((w) => w.points.length > 3).map((w) => `<path class="wire" d="${path(w.points)}"/>`));
  parts.push(...l.boxes.filter((b) => b.kind !== 'frame').map(box), '</svg>');
  return parts.join('\n');
}
