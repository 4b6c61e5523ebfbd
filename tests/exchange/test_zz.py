import time
from tests.exchange.conftest import *
def test_speed(manager):
    def f(city): return csv_bytes(("Name","Company","Mail","City"),*((f"P {n}",f"C {n%300}",f"p{n}@x.example",city) for n in range(10000)))
    for city in ("A","A","B"):
        t=time.time(); job=bring_in("contact",f(city),manager); print(city, counts(job), round(10000/(time.time()-t)))
    rows=[("D%d"%n,"Deal %d"%n,"Qualify" ) for n in range(1000)]
    print(counts(bring_in("deal",csv_bytes(("Id","Deal","Stage"),*rows),manager)))
    t=time.time(); print(counts(bring_in("deal",csv_bytes(("Id","Deal","Stage"),*[(a,b,"Won") for a,b,c in rows]),manager)), 1000/(time.time()-t))
    t=time.time(); services.ask_undo(job=job,actor=manager,at=NOON); services.undo(job_id=job.pk,clock=lambda:NOON); print("undo", time.time()-t)
