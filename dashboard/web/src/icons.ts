// Shapes that carry a meaning beside colour: each state and severity has its own outline.

import { svg } from './dom.ts';

const kPaths = {
  fresh: 'M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3z',
  stale: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zm0 1.600a4.400 4.400 0 1 0 0 8.800 4.400 4.400 0 0 0 0-8.800zM7.300 5h1.500v3l2 1.200-.8 1.300L7.300 8.900z',
  bad: 'M3.600 2.500 8 6.900l4.400-4.400 1.100 1.100L9.100 8l4.400 4.400-1.100 1.100L8 9.100l-4.400 4.400-1.100-1.100L6.900 8 2.500 3.600z',
  uncertain: 'M8 1.500 14.500 8 8 14.500 1.500 8zM8 3.800 3.800 8 8 12.200 12.200 8z',
  unknown: 'M3 7.200h10v1.600H3z',
  info: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zm-.8 5.200v4h1.600v-4zm0-2.600v1.600h1.600V4.600z',
  warning: 'M8 1.800 15 14H1zm-.8 4.400v4h1.600v-4zm0 5v1.500h1.600v-1.500z',
  high: 'M1.500 8 8 1.500 14.500 8 8 14.500zM7.200 4.400v4.400h1.600V4.400zm0 5.600v1.600h1.600V10z',
  critical: 'M5.200 1.500h5.600l3.700 3.700v5.600l-3.700 3.700H5.200l-3.700-3.700V5.200zm2 2.700v5h1.600v-5zm0 6.200V12h1.600v-1.600z',
  check: 'M6.400 12.600 2 8.200l1.300-1.300 3.100 3.100 6.300-6.300L14 5z',
  close: 'M3.600 2.500 8 6.900l4.400-4.400 1.100 1.100L9.100 8l4.400 4.400-1.100 1.100L8 9.100l-4.400 4.400-1.100-1.100L6.900 8 2.500 3.600z',
  pause: 'M4 3h3v10H4zm5 0h3v10H9z',
  play: 'M4 2.500 13 8l-9 5.500z',
  earlier: 'M10.500 2.500 12 4 8 8l4 4-1.500 1.500L5 8z',
  later: 'M5.500 2.500 4 4l4 4-4 4 1.500 1.500L11 8z',
  plus: 'M7.200 3h1.600v4.200H13v1.600H8.800V13H7.200V8.800H3V7.200h4.200z',
  person: 'M8 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM2.500 14c0-3 2.300-5 5.500-5s5.500 2 5.500 5z',
  minus: 'M3 7.200h10v1.600H3z',
} as const;

export type Icon = keyof typeof kPaths;

export function icon(name: Icon): SVGSVGElement {
  return svg('svg', { class: `icon icon-${name}`, viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    svg('path', { d: kPaths[name], 'fill-rule': 'evenodd' }));
}

export function changeIcon(node: SVGSVGElement, name: Icon): void {
  const wanted = `icon icon-${name}`;
  if (node.getAttribute('class') === wanted) return;
  node.setAttribute('class', wanted);
  node.firstElementChild?.setAttribute('d', kPaths[name]);
}
