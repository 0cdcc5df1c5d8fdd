"""The failure atlas: from how documents ended to sentences about what fails, where, how often, since when and why.

Ended        one document at one stage: success or a failure class, and what is known of the document
Condition    a value, or a range of values, of one factor: what a group of documents has in common
Population   all that reached one stage, counted by every combination of up to three factors
search       the groups that fail far more often than the others, each one once, by its shortest description
Finding      one of them, with its figures; `sentence` says it in words
"""
