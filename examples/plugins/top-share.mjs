// A metric of one's own: the share of the map's absolute mass in its largest value.
// narrows compare --plugin ./top-share.mjs --metrics top-share,insertion --methods m2ib --samples 20 --output out
export const metrics = [
  {
    name: 'top-share',
    title: 'Share of the largest value',
    category: 'complexity',
    direction: 'none',
    unit: 'share',
    reading: 'How much of the map one patch or word holds.',
    evaluate({ map }) {
      const sizes = Array.from(map, Math.abs);
      const total = sizes.reduce((a, b) => a + b, 0);
      return total > 0 ? Math.max(...sizes) / total : Number.NaN; // NaN: not defined; it is counted, never averaged in
    },
  },
];
