/** @file The report's script: draws the heat, follows pointer and keys, keeps pins. Plain JavaScript, since it runs in the page. */

import { barGrounds } from '../colour-bar.ts';
import { hex } from '../colour-map.ts';
import { answerScript } from './answer-script.ts';

/** Reads `#data` (see `ReportData` in report.ts) and brings every article to life. Text goes in through `textContent` only. */
export const reportScript = `
(function () {
  'use strict';
  var data = JSON.parse(document.getElementById('data').textContent);
  var maps = {};
  data.maps.forEach(function (map) {
    maps[map.name] = Uint8Array.from(atob(map.table), function (c) { return c.charCodeAt(0); });
  });
  var byId = function (id) { return document.getElementById(id); };
  var tools = { opacity: byId('opacity'), method: byId('method'), map: byId('map'), unit: byId('unit'), smooth: byId('smooth'), grid: byId('grid') };
  var live = byId('live');
  var make = function (tag, name, text) {
    var node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  var clamp = function (v) { return v < 0 ? 0 : v > 1 ? 1 : v; };
  var minus = function (text) { return text.replace(/-/g, '\\u2212'); };
  var digitsFor = function (high) {
    if (!high) return 1;
    var m = Math.floor(Math.log10(Math.abs(high)));
    return Math.min(6, m >= 3 ? 0 : m >= 1 ? 1 : m === 0 ? 2 : 1 - m);
  };
  var format = function (value, digits) {
    var size = Math.abs(value);
    if ((digits >= 6 && size !== 0 && size < 1e-5) || size >= 1e6) return minus(value.toExponential(1));
    var text = value.toFixed(digits);
    return minus(Number(text) === 0 ? text.replace('-', '') : text);
  };
  var unitOf = function (item) { return item.unit === 'nats' && tools.unit.value === 'bits' ? 'bits' : item.unit; };
  var factorOf = function (item) { return unitOf(item) === 'bits' ? Math.LOG2E : 1; };
  var scaleOf = function (values, unit) {
    var least = 0, most = 0, total = 0;
    values.forEach(function (v) { least = Math.min(least, v); most = Math.max(most, v); total += Math.abs(v); });
    var extreme = Math.max(-least, most);
    var signed = least < -0.02 * extreme;
    // Less than a bit in all is not painted as if it were hot (dimming in normalise.ts).
    var bits = total * Math.LOG2E, dim = unit === 'nats' && !signed && bits > 0 && bits < 1 ? 1 / bits : 1;
    return { low: signed ? -extreme : 0, high: signed ? extreme : most * dim, signed: signed, total: total };
  };
  var place = function (scale, v) { return scale.high > scale.low ? clamp((v - scale.low) / (scale.high - scale.low)) : scale.signed ? 0.5 : 0; };
  var strength = function (scale, v) { var p = place(scale, v); return scale.signed ? Math.abs(2 * p - 1) : p; };
  var colour = function (table, p) { var i = Math.round(p * 255) * 3; return [table[i], table[i + 1], table[i + 2]]; };
  var css = function (c) { return 'rgb(' + c[0] + ',' + c[1] + ',' + c[2] + ')'; };
  var luminance = function (c) {
    var f = c.map(function (b) { b /= 255; return b <= 0.04045 ? b / 12.92 : Math.pow((b + 0.055) / 1.055, 2.4); });
    return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2];
  };
  var inkOn = function (c) { var l = luminance(c); return 1.05 / (l + 0.05) >= (l + 0.05) / 0.0555 ? '#ffffff' : '#101116'; };
  var ticksOf = function (low, high) {
    if (!(high > low)) return { values: [low], digits: 0 };
    var rough = (high - low) / 4, power = Math.pow(10, Math.floor(Math.log10(rough)));
    var m = [1, 2, 2.5, 5, 10].find(function (k) { return k * power >= rough * 0.999; }) || 10;
    var step = m * power, values = [];
    for (var k = Math.ceil(low / step - 1e-6); k * step <= high + step * 1e-6; k++) values.push(k * step);
    return { values: values, digits: Math.max(0, -Math.floor(Math.log10(power) + 1e-9) + (m === 2.5 ? 1 : 0) - (m === 10 ? 1 : 0)) };
  };
  var mapOf = function (signed, dark) {
    if (tools.map.value !== 'auto') return maps[tools.map.value];
    return maps[signed ? (dark ? 'narrows-signed-dark' : 'narrows-signed') : 'narrows-heat'];
  };
  var redraws = [];

  data.items.forEach(function (item, index) {
    var root = byId('result-' + index);
    var say = function (text) { live.textContent = text; };
    var pins = root.querySelector('.pins');
    var pinned = {};
    var togglePin = function (key, text, onChange) {
      if (pinned[key]) { pinned[key].remove(); delete pinned[key]; say('Unpinned.'); onChange(false); return; }
      var entry = make('li');
      var button = make('button', '', text() + ' \\u00d7');
      button.setAttribute('aria-label', 'Unpin ' + text());
      button.addEventListener('click', function () { togglePin(key, text, onChange); });
      entry.appendChild(button);
      entry.refresh = function () { button.textContent = text() + ' \\u00d7'; };
      pins.appendChild(entry);
      pinned[key] = entry;
      say('Pinned: ' + text());
      onChange(true);
    };
    var share = function (v, total) { return total > 0 ? (100 * Math.abs(v) / total).toFixed(1) + '\\u2009%' : '\\u2013'; };

    if (item.image) (function () {
      var image = item.image, rows = image.grid[0], columns = image.grid[1], values = image.patches;
      var stage = root.querySelector('.stage'), canvas = stage.querySelector('canvas'), photo = stage.querySelector('img');
      var marks = stage.querySelector('.marks'), bar = root.querySelector('.bar'), readout = root.querySelector('.readout.patch');
      var scale = scaleOf(values, item.unit), own = scale, word = -1;
      // With interactions, the map shows what the word under the pointer brings together with each patch.
      var together = {}, everywhere = [];
      item.interactions.forEach(function (map) { together[map.word] = map.values; everywhere = everywhere.concat(map.values); });
      var common = scaleOf(everywhere);
      // With an answer, the map shows what a word of it needs: all words on one scale.
      var about = '', ofParts = scaleOf((item.answer || []).reduce(function (all, chip) { return chip.part ? all.concat(chip.patches || []) : all; }, []), item.unit);
      item.showPatches = function (given, text) {
        if (given && given.length !== image.patches.length) return;
        var next = given || image.patches;
        about = given ? text : '';
        if (next === values) return;
        values = next;
        scale = !given ? own : item.answer.some(function (chip) { return chip.part && chip.patches === given; }) ? ofParts : scaleOf(given, item.unit);
        draw(); refreshMarks();
      };
      item.showWord = function (i) {
        var next = together[i] ? i : -1;
        if (next === word) return;
        word = next;
        values = next < 0 ? image.patches : together[next];
        scale = next < 0 ? own : common;
        draw(); refreshMarks();
      };
      var zoom = Math.min(1, 720 / Math.max(item.width, item.height));
      if (Math.max(item.width, item.height) < 360) zoom = 480 / Math.max(item.width, item.height);
      canvas.width = Math.max(1, Math.round(item.width * zoom));
      canvas.height = Math.max(1, Math.round(item.height * zoom));
      var current = values.indexOf(Math.max.apply(null, values)), shown = false;
      var valueText = function (i) { return format(values[i] * factorOf(item), digitsFor(Math.max(scale.high, -scale.low) * factorOf(item))); };
      var describe = function (i) {
        return 'row ' + (Math.floor(i / columns) + 1) + ', column ' + (i % columns + 1) + ': ' + valueText(i) + ' ' + unitOf(item) + ', ' + share(values[i], scale.total) + ' of the image';
      };
      var mark = function (i, name, text) {
        var node = make('div', 'mark ' + name);
        node.style.left = 100 * (image.view.left + image.view.width * (i % columns) / columns) / item.originalWidth + '%';
        node.style.top = 100 * (image.view.top + image.view.height * Math.floor(i / columns) / rows) / item.originalHeight + '%';
        node.style.width = 100 * image.view.width / columns / item.originalWidth + '%';
        node.style.height = 100 * image.view.height / rows / item.originalHeight + '%';
        if (text) node.appendChild(make('span', '', text));
        marks.appendChild(node);
      };
      var refreshMarks = function () {
        marks.textContent = '';
        Object.keys(pinned).forEach(function (key) { if (key[0] === 'p') mark(Number(key.slice(1)), 'pin', valueText(Number(key.slice(1)))); });
        if (shown) mark(current, '', '');
        readout.textContent = '';
        if (!shown) { readout.appendChild(make('span', 'muted', 'Hover over the image, or focus it and use the arrow keys. Click or Enter pins a patch.')); return; }
        readout.appendChild(make('b', '', valueText(current) + ' ' + unitOf(item)));
        readout.appendChild(document.createTextNode(' \\u00b7 ' + share(values[current], scale.total) + ' of the image \\u00b7 row ' + (Math.floor(current / columns) + 1) + ', column ' + (current % columns + 1)));
      };
      var sample = function (u, v, smooth) {
        if (!smooth) return values[Math.min(rows - 1, Math.floor(v * rows)) * columns + Math.min(columns - 1, Math.floor(u * columns))];
        var y = Math.max(0, v * rows - 0.5), x = Math.max(0, u * columns - 0.5);
        var y0 = Math.min(rows - 1, Math.floor(y)), x0 = Math.min(columns - 1, Math.floor(x));
        var y1 = Math.min(rows - 1, y0 + 1), x1 = Math.min(columns - 1, x0 + 1), fy = y - y0, fx = x - x0;
        return (1 - fy) * ((1 - fx) * values[y0 * columns + x0] + fx * values[y0 * columns + x1]) + fy * ((1 - fx) * values[y1 * columns + x0] + fx * values[y1 * columns + x1]);
      };
      var draw = function () {
        var w = canvas.width, h = canvas.height, context = canvas.getContext('2d'), out = context.createImageData(w, h), d = out.data;
        var table = mapOf(scale.signed, item.dark), method = tools.method.value, opacity = Number(tools.opacity.value) / 100, smooth = tools.smooth.checked;
        photo.classList.toggle('grey', method === 'heat' || (method === 'blended' && scale.signed));
        for (var y = 0; y < h; y++) for (var x = 0; x < w; x++) {
          var at = (y * w + x) * 4;
          var u = ((x + 0.5) / w * item.originalWidth - image.view.left) / image.view.width;
          var v = ((y + 0.5) / h * item.originalHeight - image.view.top) / image.view.height;
          if (u < 0 || v < 0 || u >= 1 || v >= 1) { d[at] = 128; d[at + 1] = 130; d[at + 2] = 134; d[at + 3] = 190; continue; }
          var value = sample(u, v, smooth), s = strength(scale, value);
          if (method === 'masked') { d[at + 3] = 255 * opacity * (1 - Math.pow(s, 0.7)); continue; }
          var c = Math.round(place(scale, value) * 255) * 3;
          d[at] = table[c]; d[at + 1] = table[c + 1]; d[at + 2] = table[c + 2];
          d[at + 3] = 255 * opacity * (method === 'heat' ? 1 : Math.pow(s, 0.6));
        }
        context.putImageData(out, 0, 0);
        if (tools.grid.checked) {
          var k = w / item.originalWidth, m = h / item.originalHeight, V = image.view;
          context.beginPath();
          for (var r = 1; r < rows; r++) { context.moveTo(V.left * k, (V.top + V.height * r / rows) * m); context.lineTo((V.left + V.width) * k, (V.top + V.height * r / rows) * m); }
          for (var q = 1; q < columns; q++) { context.moveTo((V.left + V.width * q / columns) * k, V.top * m); context.lineTo((V.left + V.width * q / columns) * k, (V.top + V.height) * m); }
          context.strokeStyle = 'rgba(0,0,0,.35)'; context.lineWidth = 2; context.stroke();
          context.strokeStyle = 'rgba(255,255,255,.6)'; context.lineWidth = 1; context.stroke();
        }
        var gradient = [];
        for (var t = 0; t <= 16; t++) {
          var grey = Math.round(255 * (1 - opacity * (1 - Math.pow(scale.signed ? Math.abs(t / 8 - 1) : t / 16, 0.7))));
          var blend = opacity * (method === 'heat' ? 1 : Math.pow(scale.signed ? Math.abs(t / 8 - 1) : t / 16, 0.6));
          gradient.push(method === 'masked' ? css([grey, grey, grey]) : css(colour(table, t / 16)).replace('rgb(', 'rgba(').replace(')', ',' + blend.toFixed(3) + ')'));
        }
        bar.textContent = '';
        var strip = make('i');
        // The bar shows the map on dark and on light, as it lies on a picture (barPaints in colour-bar.ts).
        strip.style.background = 'linear-gradient(to top, ' + gradient.join(', ') + ')' + (method === 'masked' ? '' : ', linear-gradient(to right, ${hex(barGrounds[0])} 50%, ${hex(barGrounds[1])} 50%)');
        bar.appendChild(strip);
        var f = factorOf(item), ticks = ticksOf(scale.low * f, scale.high * f);
        ticks.values.forEach(function (value) {
          var label = make('span', '', format(value, ticks.digits));
          label.style.bottom = 100 * place(scale, value / f) + '%';
          bar.appendChild(label);
        });
        root.querySelector('.patch-unit').textContent = word < 0 ? unitOf(item) + ' per patch' + (about ? ', \u201c' + about + '\u201d' : '') : 'together with \u201c' + item.words[word].text + '\u201d';
      };
      var move = function (i, spoken) {
        if (i < 0 || i >= values.length) return;
        current = i; shown = true; refreshMarks();
        if (spoken) say(describe(i));
      };
      var under = function (event) {
        var box = stage.getBoundingClientRect();
        var u = ((event.clientX - box.left) / box.width * item.originalWidth - image.view.left) / image.view.width;
        var v = ((event.clientY - box.top) / box.height * item.originalHeight - image.view.top) / image.view.height;
        if (u < 0 || v < 0 || u >= 1 || v >= 1) return -1;
        return Math.floor(v * rows) * columns + Math.floor(u * columns);
      };
      var pin = function () { var i = current; togglePin('p' + i, function () { return describe(i); }, refreshMarks); };
      stage.addEventListener('pointermove', function (event) { var i = under(event); if (i < 0) { shown = false; refreshMarks(); } else move(i, false); });
      stage.addEventListener('pointerleave', function () { shown = document.activeElement === stage; refreshMarks(); });
      stage.addEventListener('click', function (event) { var i = under(event); if (i >= 0) { move(i, false); pin(); } });
      stage.addEventListener('focus', function () { if (stage.matches(':focus-visible')) move(current, true); });
      stage.addEventListener('blur', function () { shown = false; refreshMarks(); });
      stage.addEventListener('keydown', function (event) {
        var row = Math.floor(current / columns), column = current % columns, next = current;
        if (event.key === 'ArrowLeft') next = row * columns + Math.max(0, column - 1);
        else if (event.key === 'ArrowRight') next = row * columns + Math.min(columns - 1, column + 1);
        else if (event.key === 'ArrowUp') next = Math.max(0, row - 1) * columns + column;
        else if (event.key === 'ArrowDown') next = Math.min(rows - 1, row + 1) * columns + column;
        else if (event.key === 'Home') next = event.ctrlKey ? 0 : row * columns;
        else if (event.key === 'End') next = event.ctrlKey ? values.length - 1 : row * columns + columns - 1;
        else if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); move(current, false); pin(); return; }
        else if (event.key === 'Escape') { shown = false; refreshMarks(); return; }
        else return;
        event.preventDefault();
        move(next, true);
      });
      redraws.push(function () { draw(); refreshMarks(); });
    })();

    if (item.words) (function () {
      var values = item.words.map(function (word) { return word.value; }), scale = scaleOf(values, item.unit);
      var list = root.querySelector('.words'), readout = root.querySelector('.readout.word-value'), current = -1;
      var valueText = function (i) { return format(values[i] * factorOf(item), digitsFor(Math.max(scale.high, -scale.low) * factorOf(item))); };
      var show = function (i) {
        current = i;
        if (item.showWord) item.showWord(i);
        readout.textContent = '';
        if (i < 0) { readout.appendChild(make('span', 'muted', (item.interactions.length ? 'Hover over a word to see what it brings together with each patch,' : 'Hover over a word,') + ' or reach it with Tab and the arrow keys. Click or Enter pins it.')); return; }
        readout.appendChild(make('b', '', item.words[i].text));
        readout.appendChild(document.createTextNode(': ' + valueText(i) + ' ' + unitOf(item) + ' \\u00b7 ' + share(values[i], scale.total) + ' of the ' + item.textWord));
      };
      var buttons = item.words.map(function (word, i) {
        var button = make('button', i > 0 && word.start === item.words[i - 1].end ? 'word tight' : 'word');
        button.tabIndex = i === 0 ? 0 : -1;
        button.setAttribute('aria-pressed', 'false');
        var describe = function () { return word.text + ': ' + valueText(i) + ' ' + unitOf(item) + ', ' + share(values[i], scale.total) + ' of the ' + item.textWord; };
        button.addEventListener('pointerenter', function () { show(i); });
        button.addEventListener('pointerleave', function () { show(buttons.indexOf(document.activeElement)); });
        button.addEventListener('focus', function () {
          buttons.forEach(function (other) { other.tabIndex = other === button ? 0 : -1; });
          show(i);
        });
        button.addEventListener('blur', function () { show(-1); });
        button.addEventListener('click', function () {
          togglePin('w' + i, describe, function (on) { button.setAttribute('aria-pressed', String(on)); });
        });
        button.addEventListener('keydown', function (event) {
          var mirrored = getComputedStyle(list).direction === 'rtl';
          var forward = event.key === 'ArrowDown' || event.key === (mirrored ? 'ArrowLeft' : 'ArrowRight');
          var back = event.key === 'ArrowUp' || event.key === (mirrored ? 'ArrowRight' : 'ArrowLeft');
          var next = forward ? i + 1 : back ? i - 1 : event.key === 'Home' ? 0 : event.key === 'End' ? buttons.length - 1 : -1;
          if (!forward && !back && event.key !== 'Home' && event.key !== 'End') return;
          event.preventDefault();
          if (buttons[next]) buttons[next].focus();
        });
        list.appendChild(button);
        button.describe = describe;
        return button;
      });
      var whole = values, ownScale = scale;
      item.showWords = function (given) {
        values = given || whole;
        scale = given ? scaleOf(given, item.unit) : ownScale;
        paint();
      };
      var paint = function () {
        var table = mapOf(scale.signed);
        list.style.background = css(colour(table, scale.signed ? 0.5 : 0));
        buttons.forEach(function (button, i) {
          var c = colour(table, place(scale, values[i]));
          button.style.background = css(c);
          button.style.color = inkOn(c);
          button.textContent = '';
          button.appendChild(document.createTextNode(item.words[i].text));
          button.appendChild(make('small', '', valueText(i)));
          button.setAttribute('aria-label', button.describe());
        });
        root.querySelector('.word-unit').textContent = unitOf(item) + ' per word';
        show(current);
      };
      redraws.push(paint);
    })();
${answerScript}
    redraws.push(function () { Object.keys(pinned).forEach(function (key) { pinned[key].refresh(); }); });
    var copy = root.querySelector('.copy');
    if (copy) copy.addEventListener('click', function () {
      var source = root.querySelector('.command pre');
      var done = function () { copy.textContent = 'Copied'; say('Command copied.'); setTimeout(function () { copy.textContent = 'Copy'; }, 1600); };
      var byHand = function () {
        var range = document.createRange();
        range.selectNodeContents(source);
        var selection = getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        if (document.execCommand('copy')) done();
      };
      if (navigator.clipboard) navigator.clipboard.writeText(source.textContent).then(done, byHand);
      else byHand();
    });
  });

  var redraw = function () {
    byId('opacity-value').textContent = tools.opacity.value + '\\u2009%';
    Array.prototype.forEach.call(document.querySelectorAll('.legend'), function (span) {
      span.textContent = data.legends[tools.method.value][tools.map.value][span.dataset.place];
    });
    redraws.forEach(function (f) { f(); });
  };
  var waiting = false;
  Object.keys(tools).forEach(function (name) {
    tools[name].addEventListener('input', function () {
      if (name === 'method') tools.opacity.value = data.opacity[tools.method.value];
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(function () { waiting = false; redraw(); });
    });
  });
  document.querySelector('.tools').hidden = false;
  redraw();
})();
`;
