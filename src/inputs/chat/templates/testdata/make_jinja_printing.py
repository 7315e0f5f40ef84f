"""What Jinja2 prints for values and line ends, in the environment of transformers' apply_chat_template. Writes jinja-printing.json here."""
import json, jinja2, jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment
env=ImmutableSandboxedEnvironment(trim_blocks=True,lstrip_blocks=True,extensions=[jinja2.ext.loopcontrols])
T=["{{ true }}|{{ false }}|{{ none }}|{{ missing }}","{{ [1, 2.5, 'a', true, none] }}","{{ {'a': 1, 'b': [true, {'c': none}]} }}","{{ (1, 2) }}","{{ 1.0 }} {{ 3 }} {{ 0.00001 }} {{ 100000000000.0 * 1000000000.0 }} {{ 10/4 }} {{ 4/2 }} {{ -0.0 }}",
"{{ 'a' ~ true ~ none ~ 1.0 ~ [1] }}","{{ true|string }}{{ none|string }}{{ [1]|string }}{{ 2.0|string }}","{{ [1, true, none, 'x', 2.0]|join(', ') }}","{{ [1,2]|join }}","{{ [{'a': 1}, {'a': true}]|join('-', attribute='a') }}","{{ 'abc'|join('.') }}",
"{{ [\"it's\", 'say \"x\"', \"both ' and \\\"\", 'tab\\t nl\\n back\\\\'] }}","{{ ['é', '日本', '\\u200b', '\\x07', '\\u00a0', '😀'] }}",
"{% for x in [true, none] %}{{ x }};{% else %}none{% endfor %}","{% if true %}{{ none }}{% else %}{{ true }}{% endif %}","{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(true) }}{{ m([none]) }}","{% set z %}a{{ true }}{% endset %}{{ z }}|{{ z|length }}","{{ tool }}","{{ message.content }}","{{ message['flag'] }}{{ message.nothing }}","{{ true and none }}{{ 1 if true else 2 }}{{ not true }}",
"a\r\nb\rc\n","{% if true %}\r\nx\r\n{% endif %}\r\n","{{- 'a\r\nb' }}","x\n\n","x\r\n\r\n","x\r","{#- c -#}\r\n  {% set q = 1 %}\r\n{{ q }}","{{ 'a\\r\\nb' }}","{{ text }}","  {%- for m in [1] %}\r\n    {{ m }}\r\n  {%- endfor %}\r\n"]
V={"tool":{"name":"f","strict":True,"n":None,"parameters":["a",1,2.5]},"message":{"content":[{"type":"text","text":"it's"},{"type":"image"}],"flag":False},"text":"one\r\ntwo\rthree\n"}
json.dump({"made_by":"make_jinja_printing.py","jinja2":jinja2.__version__,"variables":V,"rows":[[t,env.from_string(t).render(**V)] for t in T]},open('jinja-printing.json','w'),ensure_ascii=True,indent=0)
