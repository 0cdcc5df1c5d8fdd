"""A labelled set of model answers: refusals in many wordings and forms, and good answers that quote refusals."""
