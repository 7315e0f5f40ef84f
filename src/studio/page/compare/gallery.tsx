/** @file Pairs of a comparison with the maps of all methods: the best, the middle and the worst of the reference. */
import { useEffect, useState } from 'preact/hooks';
import { inkOn } from '../../../report/attribution/caption.ts';
import { hex } from '../../../report/attribution/colour-map.ts';
import { displayScale, formatValue, positionOf } from '../../../report/attribution/normalise.ts';
import type { CaseView, ComparisonView, PartView } from '../../evidence.ts';
import type { Size } from '../attribute/geometry.ts';
import { Heat } from '../attribute/heat.tsx';
import { colourMapOf } from '../attribute/scales.ts';
import { titleOf } from './titles.ts';

/** Maps of a pair at first: the reference, then methods by their mean place. */
const FIRST = 11;

const PLACES: Readonly<Record<CaseView['place'], string>> = { best: 'best', median: 'in the middle', worst: 'worst' };

/** The size of a picture in a `data:` address, once the browser has read it. */
function useSize(address: string): Size | undefined {
  const [size, setSize] = useState<Size | undefined>(undefined);
  useEffect(() => {
    let current = true;
    const image = new Image();
    image.onload = () => current && setSize({ width: image.naturalWidth, height: image.naturalHeight });
    image.src = address;
    return () => {
      current = false;
    };
  }, [address]);
  return size;
}

type CaseMap = CaseView['maps'][number];

function PictureMap({ one, map, size }: { readonly one: CaseView; readonly map: CaseMap; readonly size: Size }) {
  const { grid, view } = one;
  if (!grid || !view || map.values.some(value => value === null)) return <p class="note">no map</p>;
  const patches = Float32Array.from(map.values as readonly number[]);
  const scale = displayScale(patches, map.unit);
  return (
    <span class="thumb-map" style={{ aspectRatio: `${size.width} / ${size.height}` }}>
      <img src={one.picture} alt="" />
      <Heat map={{ grid, view, patches }} size={size} scale={scale} colours={colourMapOf(scale)} method="blended" opacity={0.85} smooth />
    </span>
  );
}

function WordMap({ one, map }: { readonly one: CaseView; readonly map: CaseMap }) {
  const values = map.values.map(value => value ?? 0);
  const scale = displayScale(values, map.unit);
  const colours = colourMapOf(scale);
  return (
    <p class="word-map">
      {(one.words ?? []).map((word, i) => {
        const colour = colours.at(positionOf(scale, values[i]));
        return (
          <span key={i} style={{ background: hex(colour), color: inkOn(colour) }}>
            {word}
          </span>
        );
      })}
    </p>
  );
}

function Case({ view, part, one }: { readonly view: ComparisonView; readonly part: PartView; readonly one: CaseView }) {
  const size = useSize(one.picture);
  const [whole, setWhole] = useState(false);
  const order = (method: string): number => (method === view.reference ? -1 : (part.meanRank[method] ?? 2));
  const maps = one.maps.toSorted((a, b) => order(a.method) - order(b.method));
  const metric = view.metrics.find(each => each.name === one.metric)?.title ?? one.metric;
  return (
    <article class="case">
      <h3>
        {one.caption}{' '}
        <span class="note">
          {PLACES[one.place]} of {titleOf(view, view.reference)} by {metric}
        </span>
      </h3>
      <div class="case-maps">
        <figure>
          <img src={one.picture} alt={one.caption} />
          <figcaption>{one.pair}</figcaption>
        </figure>
        {(whole ? maps : maps.slice(0, FIRST)).map(map => (
          <figure key={map.method}>
            {part.modality === 'image' ? size && <PictureMap one={one} map={map} size={size} /> : <WordMap one={one} map={map} />}
            <figcaption>
              {titleOf(view, map.method)} {map.value === null ? '' : formatValue(map.value, 2)}
            </figcaption>
          </figure>
        ))}
      </div>
      {maps.length > FIRST && !whole && (
        <div class="row">
          <button type="button" class="small" onClick={() => setWhole(true)}>
            All {maps.length} methods
          </button>
        </div>
      )}
    </article>
  );
}

/** The gallery. */
export function Gallery({ view, part }: { readonly view: ComparisonView; readonly part: PartView }) {
  return (
    <div class="gallery">
      {part.gallery.map((one, i) => (
        <Case key={`${one.pair}-${one.place}-${i}`} view={view} part={part} one={one} />
      ))}
    </div>
  );
}
