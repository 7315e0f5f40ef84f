"""Writes regular.ts and semibold.ts: outlines of Inter as SVG path data. Needs fontTools and the npm package @fontsource/inter.

    python make-outlines.py NODE_MODULES/@fontsource/inter

A glyph is `character advance path`, glyphs are parted by U+00A6 (which has none itself); coordinates are 1/1000 em, y downwards, from the base line.
Digits are Inter's tabular ones, so numbers align in columns.
"""
import sys
from pathlib import Path
from fontTools.pens.basePen import BasePen
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.ttLib import TTFont

SETS = ('latin', 'latin-ext', 'greek', 'cyrillic')
WANTED = {'regular': [(0x20, 0x7E), (0xA0, 0x17F), (0x218, 0x21B), (0x1E9E, 0x1E9E), (0x384, 0x3CE), (0x400, 0x45F), (0x490, 0x491)],
          'semibold': [(0x20, 0x7E), (0xA0, 0xFF)]}
PUNCTUATION = '–—‘’‚“”„†•…‰′″‹›€™←↑→↓−√∞≈≠≤≥'


class PathPen(BasePen):
    """Relative, integer, quadratic path data in as few characters as can be."""

    def __init__(self, glyphs, scale):
        super().__init__(glyphs)
        self.out, self.scale, self.at, self.control = [], scale, (0, 0), None

    def point(self, p):
        return round(p[0] * self.scale), -round(p[1] * self.scale)

    def emit(self, letter, *points):
        text = ' '.join(str(v - o) for p in points for v, o in zip(p, self.at))
        self.out.append(letter + text.replace(' -', '-'))
        self.at = points[-1]

    def _moveTo(self, p):
        p = self.point(p)
        self.out.append(f'M{p[0]} {p[1]}'.replace(' -', '-'))
        self.at, self.control = p, None

    def _lineTo(self, p):
        p, self.control = self.point(p), None
        if p[1] == self.at[1]:
            self.out.append(f'h{p[0] - self.at[0]}')
            self.at = p
        elif p[0] == self.at[0]:
            self.out.append(f'v{p[1] - self.at[1]}')
            self.at = p
        else:
            self.emit('l', p)

    def _qCurveToOne(self, c, p):
        c, p = self.point(c), self.point(p)
        smooth = self.control and all(abs(2 * a - k - n) <= 0 for a, k, n in zip(self.at, self.control, c))
        if smooth:
            self.emit('t', p)
        else:
            self.emit('q', c, p)
        self.control = c

    def _closePath(self):
        self.out.append('z')


def outlines(folder, weight, ranges):
    found = {}
    for name in SETS:
        font = TTFont(Path(folder, 'files', f'inter-{name}-{weight}-normal.woff'))
        glyphs, cmap, scale = font.getGlyphSet(), font.getBestCmap(), 1000 / font['head'].unitsPerEm
        tabular = {}
        for feature in font['GSUB'].table.FeatureList.FeatureRecord:
            if feature.FeatureTag == 'tnum':
                for index in feature.Feature.LookupListIndex:
                    for sub in font['GSUB'].table.LookupList.Lookup[index].SubTable:
                        tabular.update(getattr(getattr(sub, 'ExtSubTable', sub), 'mapping', {}))
        codes = [c for a, b in ranges for c in range(a, b + 1)] + [ord(c) for c in PUNCTUATION]
        for code in codes:
            if code in cmap and code not in found and code not in (0xAD,):
                glyph = cmap[code]
                if 0x30 <= code <= 0x39:
                    glyph = tabular.get(glyph, glyph)
                pen = PathPen(glyphs, scale)
                glyphs[glyph].draw(pen)
                found[code] = f'{chr(code)}{round(glyphs[glyph].width * scale)} {"".join(pen.out)}'
    return found


def main():
    folder = sys.argv[1]
    for (name, ranges), weight in zip(WANTED.items(), (400, 600)):
        found = outlines(folder, weight, ranges)
        text = '¦'.join(found[c] for c in sorted(found) if chr(c) != '¦')
        head = (f'/** @file Outlines of Inter {weight}, made by make-outlines.py; SIL Open Font License 1.1 (LICENSES/Inter-OFL.txt). Do not edit. */\n\n'
                '/** Glyphs `character advance path`, parted by U+00A6, in 1/1000 em, y downwards; the first character is the glyph\'s. */\n')
        quoted = text.replace('\\', '\\\\').replace("'", "\\'")
        Path(__file__).with_name(f'{name}.ts').write_text(f"{head}export const {name} =\n  '{quoted}';\n", encoding='utf8')
        print(name, len(found), 'glyphs', len(text), 'characters')


main()
