"""The short phrases that act at once, in the languages people shout in.

Only data: `commands.control_word` folds what was said (case, accents, apostrophes, punctuation)
and looks it up here.  Phrases are therefore written folded: `dont move`, `arrete`.  Every `|`
separates two phrases.
"""

from __future__ import annotations

STOP_PHRASES: dict[str, str] = {
    'en':
        'stop|stop it|stop that|stop now|stop moving|stop driving|stop going|stop right there|'
        'stop there|stop here|stop where you are|stop dead|stop this|stop everything|full stop|'
        'all stop|come to a stop|come to a halt|make a stop|emergency stop|e stop|estop|halt|'
        'halt there|freeze|dont move|do not move|never move|dont you move|dont you dare move|'
        'not another inch|not another step|not one more step|no further|no farther|'
        'dont go any further|do not go any further|dont go further|go no further|dont go on|'
        'do not go on|dont continue|do not continue|dont keep going|do not keep going|dont go|'
        'do not go|dont drive|do not drive|stand still|stay still|keep still|hold still|'
        'be still|sit still|stay|stay put|stay there|stay here|stay where you are|'
        'remain where you are|remain still|hold it|hold on|hold|hold up|hold your horses|'
        'hold your position|hold position|wait|wait there|wait here|wait a second|'
        'wait a minute|wait a moment|wait up|whoa|woah|wow wow|pause|cease|desist|quit|quit it|'
        'quit moving|enough|thats enough|that is enough|enough of that|cut it out|knock it off|'
        'brake|brakes|hit the brakes|put the brakes on|apply the brakes|slam the brakes|abort|'
        'abort mission|abort abort|kill it|kill the motors|motors off|power off|switch off|'
        'shut down|shut off|shut it down|turn off|turn yourself off|dont|do not|no more|'
        'no more moving|look out|watch out|careful|be careful|danger|emergency|mayday|help|'
        'ouch|ow|cease moving|cease motion|stop motion|stop all motion|stop all movement|'
        'stop engines|cut the power|cut the engine|cut the motors|stp|stahp|sotp|stpo|tsop|'
        'stopp|stop the robot|stop yourself|stop what you are doing|stop what youre doing|'
        'stop doing that|get stopped|red light|time out|timeout|park|not so fast|'
        'slow down and stop|stand down|stand by|step on the brakes|stop before you|'
        'you will hit|you are going to hit',
    'de':
        'stopp|stop|halt|halt an|halt sofort an|anhalten|sofort anhalten|haltet an|halten|'
        'bleib stehen|bleiben sie stehen|stehen bleiben|stehenbleiben|bleib da|'
        'bleib wo du bist|steh still|stillstehen|stillhalten|nicht bewegen|beweg dich nicht|'
        'bewegen sie sich nicht|keine bewegung|nicht weiter|nicht weiterfahren|'
        'fahr nicht weiter|keinen schritt weiter|hor auf|hoer auf|aufhoren|aufhoeren|schluss|'
        'schluss jetzt|warte|warten|moment|brems|bremsen|bremse|notaus|not aus|notstopp|'
        'stoppen|stoppe|abbrechen|abbruch|genug|achtung|vorsicht|stop mal|halt mal|das reicht',
    'fr':
        'arrete|arretez|arrete toi|arretez vous|arrete ca|arretez ca|arret|arret d urgence|'
        'arret durgence|stoppe|stoppez|stop|halte|halte la|ne bouge pas|ne bougez pas|'
        'ne bouge plus|ne bougez plus|bouge pas|bouge plus|bougez plus|plus un geste|immobile|'
        'reste la|restez la|reste ou tu es|on arrete|ca suffit|assez|attends|attendez|freine|'
        'freinez|pause|pas plus loin|n avance plus|navance plus|attention|arrete de bouger',
    'es':
        'para|parate|pare|parese|para ya|paren|alto|alto ahi|alto ya|detente|detengase|deten|'
        'detenga|detenganse|no te muevas|no se mueva|no se muevan|no te muevas mas|quieto|'
        'quieta|quedate quieto|quedate ahi|frena|frene|basta|ya basta|espera|espere|stop|'
        'deja de moverte|no sigas|no avances|no avances mas|parada|parada de emergencia|cuidado',
    'it':
        'fermo|ferma|fermati|fermatevi|si fermi|fermo li|fermo la|stop|alt|non muoverti|'
        'non ti muovere|non muovetevi|non si muova|basta|basta cosi|arresta|arrestati|'
        'stai fermo|stai ferma|resta fermo|resta li|aspetta|aspetti|frena|freni|smettila|'
        'non andare avanti|non avanzare|arresto|arresto di emergenza|attento|attenzione',
    'pt':
        'pare|para|parar|parado|pare ai|para ai|pare ja|alto|nao se mova|nao te mexas|'
        'nao se mexa|nao te movas|quieto|fique parado|fica quieto|chega|basta|espera|espere|'
        'trava|freia|stop|cuidado|parada de emergencia',
    'nl':
        'stop|stoppen|halt|sta stil|stilstaan|blijf staan|niet bewegen|beweeg niet|houd op|'
        'hou op|wacht|wachten|ophouden|genoeg|remmen|rem|noodstop|pas op|niet verder',
    'nordic':
        'stopp|stop|stanna|stanna dar|ror dig inte|sta stilla|sluta|vanta|stans|stopp der|'
        'ikke beveg deg|ror deg ikke|sta stille|sta i ro|stå stille|vent|stå stilla|halt|'
        'bevaeg dig ikke|seis|pysahdy|pysahdu|ala liiku|odota|stoppaa',
    'slavic':
        'stoj|stuj|zatrzymaj sie|nie ruszaj sie|stac|stop|zastav|zastavte|nehybej se|dost|'
        'stani|zaustavi se|prestan|stoi|ostanovis|ne dvigaisya|стоп|стои|стой|остановись|'
        'остановитесь|не двигаися|не двигайся|хватит|жди|подожди|замри|стіи|стій|зупинись',
    'more':
        'dur|dursana|kipirdama|hareket etme|yeter|bekle|σταματα|σταματησε|στοπ|αλτ|ακινητος|'
        'μην κουνιεσαι|allj|allj meg|megallj|ne mozdulj|opreste|opreste te|nu te misca|stai|'
        'berhenti|jangan bergerak|dung lai|yamero|tomare|止まれ|止まって|とまれ|とまって|'
        'ストップ|停止|やめて|動くな|待って|停|停下|停下来|停住|别动|不要动|站住|等一下|住手|'
        '別動|멈춰|멈춰라|멈추세요|정지|그만|스톱|움직이지마|움직이지 마|기다려|قف|توقف|'
        'لا تتحرك|كفى|रुको|रुक जाओ|रुकिए|बस|ठहरो|עצור|עצרי|די|หยุด|ایست|توقف کن',
}

FILLERS = (
    'please|pls|now|right now|immediately|instantly|at once|this instant|this second|quickly|'
    'quick|fast|robot|mister robot|mr robot|hey|hey robot|hey you|ok|okay|oh|oh no|oh my god|'
    'omg|no|nope|ah|argh|uh|um|hmm|just|i said|i say|i told you to|i mean|well|right|dude|man|'
    'mate|buddy|darling|for gods sake|for god s sake|for heavens sake|damn|damn it|dammit|'
    'jesus|can you|could you|would you|will you|you|you there|you must|you should|you have to|'
    'you need to|i want you to|i need you to|i would like you to|id like you to|and|then|also|'
    'lets|let s|let us|all|already|there|here|today|alright|all right|sir|thanks|thank you|'
    'immediately please|asap|everyone|the robot|to|kindly|really|seriously|again|it|or else|'
    'bitte|sofort|jetzt|roboter|mal|doch|endlich|los|nein|auf der stelle|s il te plait|'
    's il vous plait|sil te plait|sil vous plait|tout de suite|maintenant|immediatement|non|'
    'stp|svp|le robot|por favor|ya|ahora|ahora mismo|inmediatamente|ahi|aqui|per favore|subito|'
    'adesso|ora|immediatamente|li|qui|agora|ja|imediatamente|robo|alsjeblieft|alstublieft|nu|'
    'direct|onmiddellijk|nou|prosze|natychmiast|teraz|пожалуиста|пожалуйста|сеичас|сейчас|'
    'немедленно|hemen|lutfen')

# After these words a "stop" is a step of a route: "stop by the second door".
STEP_WORDS = (
    'by|at|near|nearby|next|beside|besides|close|in|inside|into|on|onto|under|behind|between|'
    'opposite|across|around|outside|just|right|left|when|once|after|as|if|until|facing|only|against|'
    'along|alongside|before|above|below|short|over|two|one|three|half|off|for|with|up|directly|'
    'where|wherever|sign|signs')

OTHER_PHRASES: dict[str, str] = {
    'cancel':
        'cancel|cancel it|cancel that|cancel this|cancel the command|cancel the task|'
        'cancel my command|cancel everything|cancel all|never mind|nevermind|forget it|'
        'forget that|forget about it|drop it|leave it|scrap that|disregard|disregard that|'
        'ignore that|ignore me|undo|abbrechen|vergiss es|egal|annule|annuler|annulez|'
        'laisse tomber|oublie|cancela|cancelar|olvidalo|annulla|lascia perdere|annuleer|'
        'laat maar',
    'come back':
        'come back|come back here|come back to me|come here|come to me|return|return here|'
        'return to me|get back here|get back|go back|come home|go home|return home|'
        'return to base|return to start|return to the start|go back to start|'
        'go back to the start|go back where you started|go back to where you started|'
        'back to start|back to base|back to me|komm zuruck|komm her|zuruck|reviens|reviens ici|'
        'viens ici|vuelve|ven aqui|regresa|torna|torna qui|vieni qui|torna indietro|kom terug',
    'repeat':
        'repeat|repeat that|repeat please|say again|say that again|say it again|'
        'what did you say|pardon|pardon me|what was that|come again|once more|one more time|'
        'again|wiederholen|wiederhole|noch einmal|wie bitte|repete|repetez|repite|otra vez|'
        'ripeti|come scusa|herhaal',
    'louder':
        'louder|speak louder|talk louder|speak up|volume up|turn it up|turn up the volume|'
        'turn the volume up|i cant hear you|i cannot hear you|lauter|plus fort|mas alto|'
        'mas fuerte|piu forte|harder praten',
    'quieter':
        'quieter|be quiet|quiet|softer|speak softer|speak quietly|not so loud|lower|'
        'volume down|turn it down|turn down the volume|turn the volume down|too loud|hush|'
        'shush|shut up|leiser|ruhe|moins fort|mas bajo|silencio|piu piano|silenzio|zachter',
}
