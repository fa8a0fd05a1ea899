-- Trials that are trained elsewhere: by this name the trainer finds the run again that a trial's last attempt began, after this program was
-- ended or killed. It says nothing of runs that end with the program.
ALTER TABLE trials ADD COLUMN run TEXT;
