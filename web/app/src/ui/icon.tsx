// icon.tsx - the page's icons: outlines on a 16 x 16 grid, drawn with the text's colour.

const paths = {
  play: 'M4.5 2.8v10.4l8.5-5.2z',
  pause: 'M5 3v10M11 3v10',
  stepForward: 'M4 3.2v9.6l6.5-4.8zM12.5 3v10',
  stepBack: 'M12 3.2v9.6L5.5 8zM3.5 3v10',
  toStart: 'M13.5 3.5v9L8 8zM8 3.5v9L2.5 8z',
  toEnd: 'M2.5 3.5v9L8 8zM8 3.5v9L13.5 8z',
  restart: 'M3 8a5 5 0 1 0 1.6-3.7M3 2.5v3h3',
  inspect: 'M7 12.2A5.2 5.2 0 1 0 7 1.8a5.2 5.2 0 0 0 0 10.4zM10.8 10.8l3.4 3.4M7 4.6v4.8M4.6 7h4.8',
  search: 'M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM10.6 10.6l3.6 3.6',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  close: 'M3.8 3.8l8.4 8.4M12.2 3.8l-8.4 8.4',
  help: 'M5.7 6a2.3 2.3 0 1 1 3.3 2.1c-.7.4-1 .8-1 1.7M8 12.3v.2',
  share: 'M9.5 2.5h4v4M13.5 2.5L8 8M11.5 9.5v4h-9v-9h4',
  open: 'M2 12.5v-9h4l1.5 2H14v7z',
  save: 'M8 2.5v7.5M4.8 7L8 10.2 11.2 7M2.5 13.5h11',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M12.8 3.2l-1.1 1.1M4.3 11.7l-1.1 1.1',
  moon: 'M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z',
  auto: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 2v12M8 4.5h3.5M8 7h5M8 9.5h5M8 12h3.5',
  flow: 'M2 4.5c4-2 8 2 12 0M2 8c4-2 8 2 12 0M2 11.5c4-2 8 2 12 0',
  diff: 'M5 2.5v7M1.5 6h7M8.5 12.5h6',
  code: 'M5.5 4L1.5 8l4 4M10.5 4l4 4-4 4',
  tree: 'M3 2.5v9.5h3M3 6h3M8 6h6M8 12h6M5 2.5h6',
  chart: 'M2.5 2.5v11h11M5 10l2.5-3 2 1.5L13 4',
  grid: 'M2.5 2.5h11v11h-11zM2.5 6.200h11M2.5 9.900h11M6.200 2.5v11M9.900 2.5v11',
  formula: 'M12 3.5c-3-1.5-3.800.5-4.200 3L7 10.5c-.4 2.5-1.5 3.5-4 2.5M5 7h6',
  warning: 'M8 2.200L14.5 13.5h-13zM8 6.5v3.200M8 11.600v.2',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.200v3.800M8 5v.2',
  check: 'M3 8.5l3.200 3.200L13 4.800',
  image: 'M2.5 3h11v10h-11zM2.5 11l3.200-3.200 2.5 2.5 2-2L13.5 11M10.5 6v.2',
  plugin: 'M6 2v3M10 2v3M4 5h8v3a4 4 0 0 1-8 0zM8 12v2.5',
  gallery: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  map: 'M2.5 3.5h11v9h-11zM7.5 7.5h4v3h-4z',
  rotate: 'M8 2.5v11M4.5 10L8 13.5 11.5 10',
  rotateRight: 'M2.5 8h11M10 4.5L13.5 8 10 11.5',
  expand: 'M4 6l4-3.5L12 6M4 10l4 3.5L12 10',
  collapse: 'M4 2.5L8 6l4-3.5M4 13.5L8 10l4 3.5',
  chevron: 'M6 3.5L10.5 8 6 12.5',
  chevronLeft: 'M10 3.5L5.5 8 10 12.5',
  more: 'M3.5 8h.2M8 8h.2M12.5 8h.2',
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
} as const;

export type IconName = keyof typeof paths;
const filled = new Set<IconName>(['play', 'stepForward', 'stepBack', 'toStart', 'toEnd']);

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false" fill={filled.has(name) ? 'currentColor' : 'none'}
      stroke="currentColor" stroke-width={name === 'pause' ? 2.6 : 1.5} stroke-linecap="round" stroke-linejoin="round">
      <path d={paths[name]} />
    </svg>
  );
}
