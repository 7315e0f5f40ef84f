"""Makes the probes of ../probes.ts: two small files and the SHA-256 of Pillow's RGB bytes. Run with Pillow 13."""
from PIL import Image; import io,base64,hashlib,random
random.seed(1)
W,H=19,13
im=Image.new('RGB',(W,H)); px=im.load()
for y in range(H):
    for x in range(W): px[x,y]=((x*13+y*5)%256,(255-x*11+y*17)%256,(x*y*3+random.randrange(40))%256)
def show(n,b):
    r=Image.open(io.BytesIO(b)).convert('RGB'); print(n,len(b),base64.b64encode(b).decode()); print('   ',r.size,hashlib.sha256(r.tobytes()).hexdigest())
b=io.BytesIO(); im.save(b,'JPEG',quality=60,subsampling=2,optimize=True); show('jpeg',b.getvalue())
b=io.BytesIO(); im.save(b,'WEBP',quality=50,method=6); show('webp',b.getvalue())
rg=im.copy(); rg.putalpha(Image.linear_gradient('L').resize((W,H)))
b=io.BytesIO(); rg.save(b,'WEBP',lossless=True,exact=True); show('webpl',b.getvalue())
