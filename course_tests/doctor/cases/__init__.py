"""Sick and healthy networks whose truth is known, because the sickness was put in.

case      Case: a network with its data, loss and optimizer, and what is true of it
tasks     small problems: digits, tokens, sequences, pairs, numbers
families  healthy networks of many kinds, drawn at random
faults    what makes them ill: each takes a healthy case and changes one thing
deep      networks that are ill by their depth or their start
others    networks of uncommon kinds, each healthy or with one fault
rare      rarer kinds yet, tried after the rules were done
"""
