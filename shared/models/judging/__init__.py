"""What a model's answer is worth, before anybody believes it.

    objects    the JSON object in what a model wrote, and what is complete in one that was cut off
    refusals   a refusal inside an answer of the right form; the wordings are in `wordings`
    shells     answers that only look like one: nothing in them, or the schema given back
    evidence   fields that are needed, values that stand in the document
    repairs    the next question, when the last answer was no good
    tries      whether there is a next question, and which answer is the best so far

Functions of values throughout: `shared.models.answers` calls the first four, the chain of models the last two.
"""
