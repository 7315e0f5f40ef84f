"""What transformers renders of our named templates as text. usage: python make_stored_templates.py TEXTS.json, an object of `toJinja()` by name."""
import json, os, sys
from transformers.utils.chat_template_utils import render_jinja_template

texts = json.load(open(sys.argv[1]))
image = '<|pic|>'
two = [dict(role='user', content='<image>\nWhat is it?'), dict(role='assistant', content=' A dog. '), dict(role='user', content='Sure?\n'), dict(role='assistant', content='Yes.')]
conversations = {'two rounds': two, 'a question': two[:1], 'a system turn': [dict(role='system', content='Be {{ brief }}.')] + two[:2], 'an odd answer': [two[0], dict(role='assistant', content="it's </s> \\n 'so'")],
                 'two images': [dict(role='user', content='<image>\n<image>\nBoth?'), dict(role='assistant', content='')]}

def parts(message):
    out = []
    for i, piece in enumerate(message['content'].split('<image>')):
        if i: out.append(dict(type='image')); piece = piece.removeprefix('\n')
        if piece: out.append(dict(type='text', text=piece))
    return dict(message, content=out)

rows = []
for name, text in texts.items():
    for conversation, messages in conversations.items():
        generation = messages[-1]['role'] == 'user'
        render = lambda list_: render_jinja_template([list_], chat_template=text, add_generation_prompt=generation, bos_token='<s>', eos_token='</s>')[0][0]
        rows.append(dict(name=name, conversation=conversation, generation=generation, text=render(messages), parts=render([parts(m) for m in messages])))
here = os.path.dirname(os.path.abspath(__file__))
json.dump(dict(made_by='make_stored_templates.py', texts=texts, conversations=conversations, rows=rows), open(os.path.join(here, 'stored-templates.json'), 'w'), indent=0)
