/** @file The 400 things of the built-in world: icon names shared by all six art sets, and how they are spoken. */

/** A thing that can stand in a scene. */
export interface Concept {
  /** Position in `CONCEPTS`: the class index used by labels. */
  readonly index: number;
  /** Icon name in the art sets, for example `ear-of-corn`. */
  readonly icon: string;
  /** How captions call it: lower-case words with single blanks, no hyphens, for example `corn cob`. */
  readonly name: string;
  /** `a`, `an`, or `some` before a plural (`some grapes`). */
  readonly article: 'a' | 'an' | 'some';
}

// The rule: an icon is listed when (1) its name (or an alias) exists in all six sets and shows the same thing there, (2) a person would
// name it without a legend, (3) nothing else in the list is easily taken for it at 40 pixels. So: no clock faces, zodiac signs, buttons,
// arrows, flags, moon phases, gestures, face expressions, professions, book colours, tiles of scenery, and no "oncoming" or "face" twin
// of a listed thing. Chosen by hand on sheets of all six sets (no seed); 361 are among the 800 names of the first trial.
// `icon=spoken words` where the icon's name is not what people say. The order of indices and the vocabulary follow from this list:
// changing it makes trained checkpoints stale.
const LIST = `
airplane, alarm-clock, alien, alien-monster=space invader, ambulance, american-football, amphora, anchor, ant, artist-palette
automobile=car, avocado, baby, baby-bottle, baby-chick, backpack, bacon, badminton=badminton racket, baguette-bread=baguette
balance-scale, balloon, banana, barber-pole, baseball, basketball, bat, bathtub, battery, bear, bed, beer-mug, bell, bellhop-bell
bento-box, bicycle, bikini, biohazard=biohazard sign, bird, birthday-cake, blowfish, bomb, books
bottle-with-popping-cork=champagne bottle, bouquet, bowling=bowling pin, boxing-glove, bread, briefcase, broken-heart
bug=caterpillar, burrito, bus, butterfly, cactus, calendar, camel, camera, candle, candy, canoe, carrot, castle, cat, chains
cheese-wedge=cheese, cherries, cherry-blossom, chestnut, chicken, chipmunk, chocolate-bar, christmas-tree, church, cigarette
circus-tent, clapper-board=clapperboard, clinking-glasses, clipboard, closed-book=red book, cloud, clown-face=clown
cocktail-glass=martini glass, coffin, collision=explosion, comet, computer-mouse, construction=barrier, cooked-rice=bowl of rice
cookie, cooking=frying pan, couch-and-lamp=couch, crab, crayon, credit-card, crescent-moon=moon, crocodile, croissant
crossed-swords, crown, crystal-ball, cucumber, custard=pudding, deciduous-tree=green tree, deer, delivery-truck, desert-island
desktop-computer, dog, dollar-banknote, dolphin, door, doughnut=donut, dove, dragon, dress, droplet, drum, duck, dvd=disc, eagle
ear, ear-of-corn=corn cob, egg, eggplant, electric-plug=plug, elephant, envelope, evergreen-tree=pine tree, ewe=sheep, eye, factory
ferris-wheel, file-cabinet, file-folder=folder, fire, fire-engine=fire truck, fireworks, fish, fishing-pole, flashlight, floppy-disk
fork-and-knife, fountain, four-leaf-clover=clover, fox, framed-picture, french-fries, frog, fuel-pump=gas pump, game-die=dice, gear
gem-stone=gem, ghost, glass-of-milk, glasses, globe-showing-americas=globe, goat, gorilla, graduation-cap, grapes, green-apple
green-salad=salad, guitar, hamburger, hammer, hamster, handbag, headphone, helicopter, hibiscus, high-heeled-shoe=high heel
high-voltage=lightning bolt, honey-pot, honeybee=bee, horse, hospital, hot-beverage=coffee cup, hot-dog, hot-pepper=chili pepper
hourglass-done=hourglass, house, ice-cream=ice cream bowl, ice-hockey=hockey stick, ice-skate, jack-o-lantern, japanese-castle
jeans, joker, joystick, kaaba, key, keyboard, kick-scooter, kimono, kitchen-knife, kiwi-fruit=kiwi, koala, label=price tag
lady-beetle=ladybug, laptop, lemon, leopard, light-bulb, lion, lipstick, lizard, locked=padlock, locomotive, lollipop
magnifying-glass-tilted-left=magnifying glass, mahjong-red-dragon=mahjong tile, mans-shoe=leather shoe
mantelpiece-clock=mantel clock, maple-leaf, megaphone, melon, memo, microphone, microscope, moai=stone head, mobile-phone, money-bag
monkey, monorail, mosque, motor-scooter=scooter, motorcycle, mountain, mouse, mouth, movie-camera, mushroom, musical-keyboard=piano
musical-note=music note, necktie, newspaper, no-entry=no entry sign, nose, nut-and-bolt, octopus, ogre, oil-drum, open-book, owl, ox
package=cardboard box, paintbrush, palm-tree, pancakes, panda, paperclip, party-popper, paw-prints, peach, peanuts, pear, pencil
penguin, performing-arts=theater mask, pick, pig, pig-nose, pile-of-poo=poop, pill, pineapple, ping-pong=ping pong paddle, pizza
police-car, police-car-light=siren, pool-8-ball=eight ball, popcorn, postal-horn=horn, postbox, pot-of-food=stew pot, potato
poultry-leg=chicken leg, printer, pushpin, rabbit, racing-car, radio, radioactive=radioactive sign, rainbow, recycling-symbol
red-apple, red-heart, red-paper-lantern=paper lantern, reminder-ribbon=awareness ribbon, rescue-workers-helmet=rescue helmet
rhinoceros, ribbon=bow, rice-ball, ring, roasted-sweet-potato=sweet potato, rocket, roller-coaster, rooster, rose
rugby-football=rugby ball, running-shoe, sailboat, santa-claus, satellite, satellite-antenna=satellite dish, saxophone, school
scissors, scorpion, seedling, shark, shield, shinto-shrine, ship, shopping-bags, shopping-cart, shortcake, shower, shrimp, skis
skull, slot-machine, snail, snake, snowflake, snowman, soccer-ball, soft-ice-cream=ice cream cone, spade-suit=spade, spaghetti
speech-balloon=speech bubble, speedboat, spider, spider-web, spiral-shell=seashell, spoon, sports-medal=medal, squid, stadium, star
statue-of-liberty, stopwatch, straight-ruler=ruler, strawberry, sun, sunflower, sunglasses, sushi, syringe, t-shirt, taco, tangerine
taxi, teacup-without-handle=teacup, telephone, telephone-receiver, telescope, television, tent, thermometer, ticket, tiger, toilet
tokyo-tower, tomato, tongue, top-hat, tornado, tractor, train, triangular-ruler, trident-emblem=trident, trophy
tropical-drink=cocktail drink, tropical-fish, trumpet, tulip, turkey, turtle, umbrella, unicorn
vertical-traffic-light=traffic light, video-game=game controller, videocassette, violin, volcano, volleyball, warning=warning sign
wastebasket=trash can, watch, water-wave=ocean wave, watermelon, whale, wine-glass, wolf, womans-boot=boot, womans-hat=sun hat
world-map=map, wrapped-gift=gift, wrench, yin-yang
`;

const PLURALS = new Set(
  'books chains cherries fireworks fries glasses grapes jeans pancakes peanuts prints scissors bags skis sunglasses swords'.split(' '),
);

function articleOf(name: string): Concept['article'] {
  const last = name.slice(name.lastIndexOf(' ') + 1);
  if (PLURALS.has(last)) return 'some';
  return /^(?!uni)[aeiou]|^hour/.test(name) ? 'an' : 'a';
}

/** All concepts, in the order of their class index (by icon name). */
export const CONCEPTS: readonly Concept[] = LIST.trim()
  .split(/\s*\n\s*|,\s*/)
  .map(entry => {
    const [icon, spoken] = entry.split('=');
    const name = spoken ?? icon.replaceAll('-', ' ');
    return { icon, name, article: articleOf(name) };
  })
  .sort((a, b) => (a.icon < b.icon ? -1 : 1))
  .map((concept, index) => ({ index, ...concept }));

/** The concept's name with its article: `a dog`, `an owl`, `some grapes`. */
export const withArticle = (concept: Concept): string => `${concept.article} ${concept.name}`;
