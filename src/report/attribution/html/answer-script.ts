/** @file The part of the report's script that brings an answer's chips to life; it runs inside of an item, after its picture and words. */

/** Reads `item.answer`, and shows a chip's map by `item.showPatches` and `item.showWords`, which picture and question set. */
export const answerScript = `
    if (item.answer) (function () {
      var list = root.querySelector('.chips'), said = root.querySelector('.answer .readout'), held = 0;
      var show = function (i) {
        var chip = item.answer[i];
        if (item.showPatches) item.showPatches(chip.patches, chip.text);
        if (item.showWords) item.showWords(chip.words);
        said.textContent = chip.note;
      };
      var buttons = item.answer.map(function (chip, i) {
        var button = make('button', 'chip', chip.text);
        button.tabIndex = i === 0 ? 0 : -1;
        button.addEventListener('pointerenter', function () { show(i); });
        button.addEventListener('pointerleave', function () { show(held); });
        button.addEventListener('focus', function () {
          buttons.forEach(function (other) { other.tabIndex = other === button ? 0 : -1; });
          show(i);
        });
        button.addEventListener('blur', function () { show(held); });
        button.addEventListener('click', function () { hold(i); });
        button.addEventListener('keydown', function (event) {
          var step = event.key === 'ArrowRight' || event.key === 'ArrowDown' ? 1 : event.key === 'ArrowLeft' || event.key === 'ArrowUp' ? -1 : 0;
          var next = step ? i + step : event.key === 'Home' ? 0 : event.key === 'End' ? buttons.length - 1 : -1;
          if (!step && next < 0) return;
          event.preventDefault();
          if (buttons[next]) buttons[next].focus();
        });
        list.appendChild(button);
        return button;
      });
      var hold = function (i) {
        held = i;
        buttons.forEach(function (button, k) { button.setAttribute('aria-pressed', String(k === i)); });
        show(i);
        say('Shown: ' + item.answer[i].text);
      };
      hold(0);
      redraws.push(function () { show(held); });
    })();
`;
