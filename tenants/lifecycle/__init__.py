"""From trial to erased: the states of a company, who moves it, what it may do in each."""
