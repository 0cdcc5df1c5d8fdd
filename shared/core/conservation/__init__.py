"""The conservation law, counted from the records themselves: nothing here shares code with the engine or with settle.

published = stored + rejected + discarded + cancelled + superseded + deduplicated
          + dead-lettered + in review + in retry + waiting (parked or in flight)

facts.py     what was seen of one record, and what the tables keep of one document
flow.py      which stage may cause what
account.py   one document: everything that is completed has caused something, once
verdict.py   all documents together
folding.py   what is kept of a document when its records may be deleted
"""
